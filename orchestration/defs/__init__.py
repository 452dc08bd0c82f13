"""The stations of the night: raw → quality → warehouse → quality → published; nightly runs them."""
