/** What the daemon tells of itself: metrics for Prometheus, and the operations under way. */
package io.keelson.runtime.metrics;
