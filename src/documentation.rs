//! The pages of `docs/` with examples, so that these are compiled and run. Nothing of this is in the crate.

#[cfg(all(
    feature = "memory",
    feature = "object",
    feature = "json",
    feature = "msgpack",
    feature = "macros"
))]
mod coming_from {
    #[doc = include_str!("../docs/coming-from/advanced-caching.md")]
    struct AdvancedCaching;
    #[doc = include_str!("../docs/coming-from/cachestack.md")]
    struct Cachestack;
    #[doc = include_str!("../docs/coming-from/simple-dep-cache.md")]
    struct SimpleDepCache;
    #[doc = include_str!("../docs/coming-from/async-cache.md")]
    struct AsyncCache;
    #[doc = include_str!("../docs/COMING-FROM.md")]
    struct Tables;
}
