/**
 * Network interfaces as devices: lent to a pod for its life, and always given back as they were.
 */
@NullMarked
package io.keelson.device.nic;

import org.jspecify.annotations.NullMarked;
