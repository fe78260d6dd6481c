/** The daemon and its command line. */
package io.keelson.runtime;
