/** The daemon: what must hold before it starts, how its parts are put together, and its life. */
package io.keelson.runtime.daemon;
