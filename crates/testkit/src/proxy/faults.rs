//! What is wrong at a moment.

use std::time::Duration;

/// The faults of a proxy. The default are none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    pub(super) delay: Duration,
    pub(super) hold: bool,
    pub(super) blackhole: bool,
    pub(super) refuse: bool,
    /// How many orders there were.
    pub(super) orders: u64,
    /// How often all connections were reset or closed half: what differs from when a connection began concerns it.
    pub(super) cuts: u64,
    pub(super) half_closes: u64,
    pub(super) requests: Option<After>,
    pub(super) answers: Option<After>,
}

/// The end of a connection after as many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct After {
    pub(super) bytes: u64,
    /// Another one with each order: each has the bytes counted anew.
    pub(super) order: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    ToServer,
    ToClient,
}

impl Faults {
    /// Ends all that goes on.
    pub(super) fn heal(&mut self) {
        let Faults { orders, cuts, half_closes, .. } = *self;
        *self = Faults { orders, cuts, half_closes, ..Faults::default() };
    }

    pub(super) fn cut_after(&self, way: Way) -> Option<After> {
        match way {
            Way::ToServer => self.requests,
            Way::ToClient => self.answers,
        }
    }
}
