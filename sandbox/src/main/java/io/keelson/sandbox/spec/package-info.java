/**
 * The OCI runtime spec: what is written into a bundle's config.json, and what is read back from it.
 */
package io.keelson.sandbox.spec;
