/**
 * The Node Resource Interface: plugins in processes of their own that follow pods and containers,
 * adjust containers that are being made, and change the resources of those that exist (NRI
 * v1alpha1).
 */
@NullMarked
package io.keelson.runtime.nri;

import org.jspecify.annotations.NullMarked;
