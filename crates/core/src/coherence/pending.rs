//! Invalidations that the log has not numbered, because it could not be reached.

use crate::shared_log::Name;

/// So many wait. If there are more, all that belongs to the log is given up.
const MOST: usize = 10_000;

/// See the module. Each has a number of its own, so that one which comes while an older one of the same name is being
/// told is not taken for that.
#[derive(Clone, Default)]
pub(super) struct Pending {
    voids: Vec<(u64, String)>,
    names: Vec<(u64, Name)>,
    /// There were too many, and this is the number of the last.
    everything: Option<u64>,
    next: u64,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.count() == 0
    }

    pub(super) fn is_everything(&self) -> bool {
        self.everything.is_some()
    }

    pub(super) fn count(&self) -> usize {
        self.names.len().max(self.voids.len()).max(usize::from(self.is_everything()))
    }

    pub(super) fn voids(&self) -> impl Iterator<Item = &str> {
        self.voids.iter().map(|(_, key)| key.as_str())
    }

    pub(super) fn names(&self) -> Vec<Name> {
        self.names.iter().map(|(_, name)| name.clone()).collect()
    }

    pub(super) fn add(&mut self, voids: &[&str], names: &[Name]) {
        self.next += 1;
        let number = self.next;
        if self.is_everything() {
            self.everything = Some(number);
            return;
        }
        self.voids.retain(|(_, known)| !voids.contains(&known.as_str()));
        self.voids.extend(voids.iter().map(|key| (number, (*key).to_owned())));
        self.names.retain(|(_, known)| !names.contains(known));
        self.names.extend(names.iter().map(|name| (number, name.clone())));
        if self.count() > MOST {
            (self.voids, self.names, self.everything) = (Vec::new(), Vec::new(), Some(number));
        }
    }

    /// Takes away what was told.
    pub(super) fn done(&mut self, told: &Pending) {
        self.voids.retain(|void| !told.voids.contains(void));
        self.names.retain(|name| !told.names.contains(name));
        if told.is_everything() && self.everything == told.everything {
            self.everything = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_while_the_same_is_told_is_told_again() {
        let (mut pending, name) = (Pending::default(), Name::tag("a"));
        pending.add(&["k"], std::slice::from_ref(&name));
        let told = pending.clone();
        pending.add(&["k"], std::slice::from_ref(&name));
        assert_eq!(pending.count(), 1, "once is enough");
        pending.done(&told);
        assert_eq!((pending.voids().collect::<Vec<_>>(), pending.names()), (vec!["k"], vec![name]));
        let told = pending.clone();
        pending.done(&told);
        assert!(pending.is_empty());
    }

    #[test]
    fn what_was_told_takes_nothing_else_with_it() {
        let mut pending = Pending::default();
        pending.add(&[], &[Name::tag("a")]);
        let told = pending.clone();
        pending.done(&told);
        pending.add(&[], &[Name::tag("b")]);
        pending.done(&told);
        assert_eq!(pending.names(), [Name::tag("b")]);
    }

    #[test]
    fn of_too_many_all_is_given_up() {
        let mut pending = Pending::default();
        let names: Vec<_> = (0..=MOST).map(|number| Name::tag(&number.to_string())).collect();
        pending.add(&[], &names[..MOST]);
        assert!(!pending.is_everything());
        pending.add(&[], &names[MOST..]);
        assert!(pending.is_everything() && pending.names().is_empty());
        let told = pending.clone();
        pending.add(&[], &names[..1]);
        pending.done(&told);
        assert!(pending.is_everything(), "one came meanwhile");
        let told = pending.clone();
        pending.done(&told);
        assert!(pending.is_empty());
    }
}
