"""The heads of detectors: small networks on top of the features, and what they share."""
