/**
 * Manifests, indexes and configs (OCI image spec 1.1, docker image manifest version 2 schema 2).
 */
@NullMarked
package io.keelson.image.manifest;

import org.jspecify.annotations.NullMarked;
