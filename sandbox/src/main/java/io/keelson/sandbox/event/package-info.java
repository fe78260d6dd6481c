/** What happens to pods and containers, told to whoever listens (CRI v1, GetContainerEvents). */
package io.keelson.sandbox.event;
