/** What monitors ask about the devices of pods: the kubelet's pod resources API, version v1. */
@NullMarked
package io.keelson.device.podresources;

import org.jspecify.annotations.NullMarked;
