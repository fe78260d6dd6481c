/**
 * Links, addresses and routes of the kernel, over rtnetlink sockets (rtnetlink(7), RFC 3549).
 * Everything acts in the network namespace of the thread that opens the socket.
 */
@NullMarked
package io.keelson.linux.netlink;

import org.jspecify.annotations.NullMarked;
