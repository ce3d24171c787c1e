//! `.tags(|k, v| ..)`: the names by which entries can be invalidated.

use crate::{Cache, Lookup};
use std::sync::Arc;

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Gives each entry that is loaded or inserted the tags that `tags` returns for its key and value.
    ///
    /// [`invalidate_tag`](Self::invalidate_tag) invalidates all that have a tag, however many these are. An entry has at most
    /// 10,000 tags in levels that keep bytes. Beside these it has those that its load names
    /// ([`LoadContext::tag`](crate::LoadContext::tag)), those that an insertion or a call gives it, and those of the cached
    /// values that it was made from.
    ///
    /// # Default
    ///
    /// None.
    ///
    /// # Ordering
    ///
    /// It belongs to the whole: on the right side of [`chain`](Self::chain) it panics there. After
    /// [`codec`](Self::codec), which changes the type of the value. What is said last replaces what was said before.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// #[derive(Clone, Debug, PartialEq)]
    /// struct User { name: String, team: u32 }
    ///
    /// let users = Cache::new(Memory::<str, User>::new(100)).tags(|_, user| [format!("team:{}", user.team)]);
    /// users.insert("ada", User { name: "Ada".into(), team: 7 }).await?;
    /// users.insert("bob", User { name: "Bob".into(), team: 8 }).await?;
    ///
    /// users.invalidate_tag("team:7").await?;
    /// assert_eq!(users.get("ada").await?, None);
    /// assert_eq!(users.get("bob").await?.unwrap().name, "Bob");
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn tags<F, I, T>(self, tags: F) -> Self
    where
        F: Fn(&K, &V) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = T>,
        T: AsRef<str>,
    {
        let tags = move |key: &K, value: &V, take: &mut dyn FnMut(&str)| {
            tags(key, value).into_iter().for_each(|tag| take(tag.as_ref()));
        };
        self.decide(|policy| policy.loads.tags = Some(Arc::new(tags)))
    }
}
