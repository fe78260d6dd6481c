/** What callers ask of drivers beyond the publishing of volumes. */
@NullMarked
package io.keelson.csi.provision;

import org.jspecify.annotations.NullMarked;
