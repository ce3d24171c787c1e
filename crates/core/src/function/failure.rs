//! The error of a function, from that of the load behind it.
//!
//! A load serves many callers, and each is to get the error that its function is declared to return. Which way there is
//! depends on that type, and is found by the compiler: it takes the first of these that fits, where they are called with
//! `(&&&failure).error(name)`.
//!
//! | the error type has | an error of the function itself | all else (a panic, a time-out ..) |
//! |---|---|---|
//! | `Clone`, `From<LoadError<Self>>` | is cloned | is converted |
//! | `From<LoadError<Self>>` | is converted | is converted |
//! | `Clone` | is cloned | panics, as an uncached call that panics would |

use crate::LoadError;

/// What a load failed with, on its way to the error type of a function.
///
/// # Examples
///
/// ```
/// use larder_core::{LoadError, function::*};
///
/// let failure = Failure(LoadError::Load(std::sync::Arc::new(String::from("no such user"))));
/// let error: String = (&&&failure).error("user");
/// assert_eq!(error, "no such user");
/// ```
#[derive(Clone, Debug)]
pub struct Failure<E>(pub LoadError<E>);

/// The way for an error type that can be cloned and be made of a [`LoadError`].
pub trait ByBoth<E> {
    /// Returns the error for a caller of the function `name`.
    fn error(&self, name: &str) -> E;
}

impl<E: Clone + From<LoadError<E>>> ByBoth<E> for &&Failure<E> {
    fn error(&self, _: &str) -> E {
        match &self.0 {
            LoadError::Load(error) => E::clone(error),
            other => other.clone().into(),
        }
    }
}

/// The way for an error type that can be made of a [`LoadError`].
pub trait ByConversion<E> {
    /// Returns the error for a caller of the function `name`.
    fn error(&self, name: &str) -> E;
}

impl<E: From<LoadError<E>>> ByConversion<E> for &Failure<E> {
    fn error(&self, _: &str) -> E {
        self.0.clone().into()
    }
}

/// The way for an error type that can be cloned.
pub trait ByClone<E> {
    /// Returns the error for a caller of the function `name`.
    ///
    /// # Panics
    ///
    /// If there is none: if the function panicked, takes too long where the cache has a time-out, or asked for itself.
    #[track_caller]
    fn error(&self, name: &str) -> E
    where
        E: SharedError;
}

impl<E> ByClone<E> for Failure<E> {
    fn error(&self, name: &str) -> E
    where
        E: SharedError,
    {
        match &self.0 {
            LoadError::Load(error) => E::share(error),
            other => panic!(
                "`{name}` has no value: {}",
                match other {
                    // Printing the rest asks nothing of the error type.
                    LoadError::Panicked(message) => format!("it panicked: {message}"),
                    LoadError::Store(error) => error.to_string(),
                    LoadError::Timeout => "it takes too long".into(),
                    LoadError::Cycle => "it waits for itself".into(),
                    _ => "the runtime that ran it has ended".into(),
                }
            ),
        }
    }
}

/// An error that several callers can get. Implemented for every type that can be cloned, so never by hand.
#[diagnostic::on_unimplemented(
    message = "several callers may get one `{Self}`, which can be neither cloned nor made of a `LoadError`",
    note = "one call of a cached function serves all who ask meanwhile: derive `Clone` for `{Self}`, or implement `From<larder::LoadError<{Self}>>` for it; `anyhow::Error` and `Box<dyn Error + Send + Sync>` have that"
)]
pub trait SharedError {
    /// Returns the error for one more caller.
    #[must_use = "an error is for somebody"]
    fn share(&self) -> Self;
}

impl<E: Clone> SharedError for E {
    fn share(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
#[allow(clippy::needless_borrow, reason = "it is called as expansions call it, whatever the type")]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[derive(Debug, PartialEq)]
    struct Converted(String);

    impl From<LoadError<Converted>> for Converted {
        fn from(error: LoadError<Converted>) -> Self {
            Converted(match error {
                LoadError::Load(error) => format!("converted: {}", error.0),
                _ => "other".into(),
            })
        }
    }

    #[derive(Clone, Debug, PartialEq)]
    struct Both(&'static str);

    impl From<LoadError<Both>> for Both {
        fn from(_: LoadError<Both>) -> Self {
            Both("converted")
        }
    }

    fn failed<E>(error: E) -> Failure<E> {
        Failure(LoadError::Load(Arc::new(error)))
    }

    #[test]
    fn what_can_be_cloned_is_and_all_else_is_converted() {
        let own: Both = (&&&failed(Both("mine"))).error("user");
        assert_eq!(own, Both("mine"));
        let other: Both = (&&&Failure::<Both>(LoadError::Timeout)).error("user");
        assert_eq!(other, Both("converted"));
    }

    #[test]
    fn what_cannot_be_cloned_is_always_converted() {
        let own: Converted = (&&&failed(Converted("mine".into()))).error("user");
        assert_eq!(own, Converted("converted: mine".into()));
        let other: Converted = (&&&Failure::<Converted>(LoadError::Cycle)).error("user");
        assert_eq!(other, Converted("other".into()));
    }

    #[test]
    #[should_panic(expected = "`user` has no value: it panicked: no luck")]
    fn what_has_no_form_of_the_error_type_panics() {
        let failure: Failure<String> = Failure(LoadError::Panicked("no luck".into()));
        let _: String = (&&&failure).error("user");
    }
}
