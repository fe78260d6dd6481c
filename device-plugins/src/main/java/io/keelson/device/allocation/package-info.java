/**
 * Who holds which device: requests, the choice of devices, and the allocations with their
 * checkpoints.
 */
@NullMarked
package io.keelson.device.allocation;

import org.jspecify.annotations.NullMarked;
