"""The stages that several papers share: images, features, heads."""
