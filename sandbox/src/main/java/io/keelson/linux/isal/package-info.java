/** Intel's Intelligent Storage Acceleration Library by JNA, on hosts that have it. */
@NullMarked
package io.keelson.linux.isal;

import org.jspecify.annotations.NullMarked;
