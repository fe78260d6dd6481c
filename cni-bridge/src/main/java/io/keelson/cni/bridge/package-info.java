/**
 * The built-in network of a node without CNI configuration: one bridge, a veth pair and addresses
 * for each pod, masquerade and host ports by nftables.
 */
@NullMarked
package io.keelson.cni.bridge;

import org.jspecify.annotations.NullMarked;
