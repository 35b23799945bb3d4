//! A really flaky HTTP service.
