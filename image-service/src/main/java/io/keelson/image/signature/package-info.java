/** Which images a node accepts: a policy, and programs that look at signatures. */
@NullMarked
package io.keelson.image.signature;

import org.jspecify.annotations.NullMarked;
