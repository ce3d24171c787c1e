//! The keys of a bulk operation, each once.

use crate::sync::RandomState;
use std::collections::HashMap;
use std::hash::Hash;

/// See the module.
pub(crate) struct Distinct<'a, K: ?Sized> {
    keys: Vec<&'a K>,
    /// For each key that was given, its place among the distinct ones.
    places: Vec<usize>,
}

impl<'a, K: ?Sized + Hash + Eq> Distinct<'a, K> {
    pub(crate) fn of(given: impl Iterator<Item = &'a K>) -> Self {
        let mut known: HashMap<&K, usize, RandomState> = HashMap::default();
        let (mut keys, mut places) = (Vec::new(), Vec::with_capacity(given.size_hint().0));
        for key in given {
            let place = *known.entry(key).or_insert(keys.len());
            if place == keys.len() {
                keys.push(key);
            }
            places.push(place);
        }
        Distinct { keys, places }
    }

    pub(crate) fn keys(&self) -> &[&'a K] {
        &self.keys
    }

    /// Returns for each key that was given what the distinct one came to.
    pub(crate) fn spread<T: Clone>(&self, answers: Vec<T>) -> Vec<T> {
        if self.keys.len() == self.places.len() {
            return answers;
        }
        self.places.iter().map(|place| answers[*place].clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_there_once_and_has_an_answer_for_each_time_that_it_was_given() {
        let distinct = Distinct::of(["b", "a", "b", "c", "a"].into_iter());
        assert_eq!(distinct.keys(), ["b", "a", "c"]);
        assert_eq!(distinct.spread(vec![1, 2, 3]), [1, 2, 1, 3, 2]);
    }
}
