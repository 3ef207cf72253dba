// The target that owns the precompiled header has one source.
