"""Run an exported file with onnxruntime-web in a headless browser, without network access."""
