/** Control groups: what the host has mounted, how groups are named, and what is done to a group. */
@NullMarked
package io.keelson.linux.cgroup;

import org.jspecify.annotations.NullMarked;
