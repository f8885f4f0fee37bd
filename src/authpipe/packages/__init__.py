"""The npm packages bundled for functions and for compile checks."""
