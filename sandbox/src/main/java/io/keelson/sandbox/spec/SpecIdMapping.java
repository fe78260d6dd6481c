package io.keelson.sandbox.spec;

/** A range of ids of a user namespace (OCI runtime spec, {@code linux.uidMappings}). */
public record SpecIdMapping(long containerId, long hostId, long size) {}
