#![doc = include_str!("../guide/links.md")]
#![doc = include_str!("../guide/README.md")]
//!
//! The pages are files of the folder `core/guide`. They exist in the documentation alone, so no program has anything of them.

/// A module for each page. The pages link to each other by names that are defined at their end, for readers of the files; here
/// the definitions of `links.md` come first, and lead to modules.
macro_rules! pages {
    ($($page:ident)*) => {
        $(
            #[doc = include_str!("../guide/links.md")]
            #[doc = include_str!(concat!("../guide/", stringify!($page), ".md"))]
            pub mod $page {}
        )*
    };
}

pages! {
    start_firmware
    start_javascript
    start_rust
    classes
    backoff
    deadlines
    budgets
    breakers
    retry_after
    keys
    control
    resets
    observing
    testing
    storms
    production
    pitfalls
    events
    migration
    stability
}
