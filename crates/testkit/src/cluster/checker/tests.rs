use super::*;
use crate::cluster::database::COMMON_ROW;
use crate::cluster::history::Origin;

const BOUND: Duration = Duration::from_secs(1);
const PROMISES: Promises = Promises { bound: Some(BOUND) };

/// A history that is written by hand. Times are in milliseconds.
#[derive(Default)]
struct Told(History);

fn at(millis: u64) -> Moment {
    Moment { time: Duration::from_millis(millis), order: millis }
}

fn page(key: u64, number: u64) -> Page {
    Page::new(key, number, vec![(COMMON_ROW, 0)])
}

/// A node, or a later process on it.
type Process = (usize, u32);
const ONE: Process = (0, 0);
const OTHER: Process = (1, 0);

impl Told {
    /// A load of key 1, which makes the page with this number.
    fn load(mut self, number: u64, began: u64) -> Self {
        let (origin, page) = (at(began), Some(page(1, number)));
        self.0.pages.insert(number, Origin { began: origin, settled: Some(origin), page });
        self
    }

    fn failed_load(mut self, node: usize, ended: u64) -> Self {
        self.0.note(at(ended), Note::LoadEnded { node, key: 1, page: 99, end: LoadEnd::Failed });
        self
    }

    fn call(self, process: Process, operation: Operation, span: (u64, u64), answer: Answer) -> Self {
        self.call_with(process, operation, span, Some(answer), false)
    }

    fn call_with(
        mut self,
        (node, life): Process,
        operation: Operation,
        (began, ended): (u64, u64),
        answer: Option<Answer>,
        from_nothing: bool,
    ) -> Self {
        let inserted = matches!(operation, Operation::Insert(_)).then(|| page(1, 50));
        let began = at(began);
        let call = Call { node, life, operation, began, from_nothing, inserted, end: None };
        let number = self.0.begin(call);
        if let Some(answer) = answer {
            self.0.end(number, at(ended), answer);
        }
        self
    }

    fn removes(self, process: Process, span: (u64, u64)) -> Self {
        self.call(process, Operation::Remove(1), span, Answer::Done)
    }

    /// A read which is answered with the page of this number.
    fn reads(self, process: Process, span: (u64, u64), number: u64) -> Self {
        self.call(process, Operation::Load(1), span, Answer::Read(Some(page(1, number))))
    }

    fn verdict(&self) -> Result<(), Breach> {
        check(&self.0, &PROMISES)
    }
}

fn stale(read: usize, invalidation: usize) -> Result<(), Breach> {
    Err(Breach::Stale { read, invalidation })
}

#[test]
fn on_the_process_that_invalidated_it_is_over_at_once() {
    let told = |read| Told::default().load(7, 10).removes(ONE, (20, 30)).reads(ONE, read, 7);
    assert_eq!(told((31, 32)).verdict(), stale(1, 0));
    assert_eq!(told((29, 40)).verdict(), Ok(()), "it began before the removal had returned");
}

#[test]
fn on_another_process_it_is_over_when_the_bound_is() {
    let told = |process, read| Told::default().load(7, 10).removes(ONE, (20, 30)).reads(process, read, 7);
    for process in [OTHER, (0, 1)] {
        assert_eq!(told(process, (1_030, 1_031)).verdict(), Ok(()));
        assert_eq!(told(process, (1_031, 1_032)).verdict(), stale(1, 0));
    }
}

#[test]
fn who_has_nothing_and_asks_the_shared_level_is_told_the_truth_at_once() {
    let told = |from_nothing| {
        let answer = Some(Answer::Read(Some(page(1, 7))));
        let told = Told::default().load(7, 10).removes(ONE, (20, 30));
        told.call_with(OTHER, Operation::Get(1), (31, 40), answer, from_nothing)
    };
    assert_eq!(told(true).verdict(), stale(1, 0));
    assert_eq!(told(false).verdict(), Ok(()));
}

#[test]
fn what_was_gone_must_not_come_back_however_late() {
    let told = Told::default().load(7, 10).removes(ONE, (20, 30)).load(8, 40).reads(ONE, (50, 60), 8);
    assert_eq!(told.verdict(), Ok(()));
    assert_eq!(told.reads(OTHER, (90_000, 90_001), 7).verdict(), stale(2, 0));
}

#[test]
fn a_load_that_began_while_it_was_invalidated_may_be_of_either_side() {
    let told = Told::default().load(7, 25).removes(ONE, (20, 30)).reads(ONE, (40, 50), 7);
    assert_eq!(told.verdict(), Ok(()));
}

#[test]
fn an_invalidation_that_failed_or_was_cut_off_condemns_nothing() {
    for answer in [Answer::Failed("down".into()), Answer::CutOff] {
        let told = Told::default().load(7, 10).call(ONE, Operation::Remove(1), (20, 30), answer);
        assert_eq!(told.reads(ONE, (40, 50), 7).verdict(), Ok(()));
    }
}

#[test]
fn what_is_cleared_or_replaced_is_condemned_and_other_keys_are_not() {
    let told = |operation| {
        let told = Told::default().load(7, 10).call(ONE, operation, (20, 30), Answer::Done);
        told.reads(ONE, (40, 50), 7).verdict()
    };
    assert_eq!(told(Operation::Clear), stale(1, 0));
    assert_eq!(told(Operation::Insert(1)), stale(1, 0));
    assert_eq!(told(Operation::Remove(0)), Ok(()));
}

#[test]
fn what_was_inserted_is_as_new_as_the_end_of_the_call() {
    let told = |removal| {
        let told = Told::default().call(ONE, Operation::Insert(1), (10, 25), Answer::Done);
        told.removes(OTHER, removal).reads(ONE, (2_000, 2_001), 50).verdict()
    };
    assert_eq!(told((20, 30)), Ok(()), "they ran at the same time");
    assert_eq!(told((26, 30)), stale(2, 1));
}

#[test]
fn what_was_expired_may_stand_in_for_a_load_that_failed_and_for_nothing_else() {
    let expired = |operation, read| {
        let told = Told::default().load(7, 10).call(ONE, operation, (20, 30), Answer::Done);
        told.failed_load(0, 45).call(ONE, read, (40, 50), Answer::Read(Some(page(1, 7)))).verdict()
    };
    assert_eq!(expired(Operation::Expire(1), Operation::Load(1)), Ok(()));
    assert_eq!(expired(Operation::Expire(1), Operation::Get(1)), stale(1, 0));
    assert_eq!(expired(Operation::Remove(1), Operation::Load(1)), stale(1, 0));

    let told = Told::default().load(7, 10).call(ONE, Operation::Expire(1), (20, 30), Answer::Done);
    let told = told.failed_load(1, 45).reads(ONE, (40, 50), 7);
    assert_eq!(told.verdict(), stale(1, 0), "that load failed elsewhere");
}

#[test]
fn pages_of_other_keys_and_pages_that_nobody_made_are_found() {
    let reads = |page| {
        let told = Told::default().load(7, 10);
        told.call(ONE, Operation::Get(1), (20, 30), Answer::Read(Some(page))).verdict()
    };
    assert_eq!(reads(page(1, 7)), Ok(()));
    assert_eq!(reads(page(2, 7)), Err(Breach::Foreign { read: 0 }));
    assert_eq!(reads(page(1, 8)), Err(Breach::Untrue { read: 0 }), "no load made it");
    let other = Page::new(1, 7, vec![(COMMON_ROW, 1)]);
    assert_eq!(reads(other), Err(Breach::Untrue { read: 0 }), "its load made something else");
    assert_eq!(
        Told::default().load(7, 40).reads(ONE, (20, 30), 7).verdict(),
        Err(Breach::Untrue { read: 0 }),
        "it was not made yet"
    );
}

#[test]
fn a_version_that_was_not_written_yet_is_found() {
    let read = |written| {
        let mut told = Told::default().load(7, 10);
        let newer = Page::new(1, 7, vec![(COMMON_ROW, 1)]);
        told.0.pages.get_mut(&7).unwrap().page = Some(newer.clone());
        told.0.note(at(written), Note::Wrote { row: COMMON_ROW, version: 1 });
        told.call(ONE, Operation::Get(1), (20, 30), Answer::Read(Some(newer))).verdict()
    };
    assert_eq!(read(15), Ok(()));
    assert_eq!(read(31), Err(Breach::Untrue { read: 0 }));
}

#[test]
fn a_call_that_does_not_end_is_found_and_one_that_was_cut_off_did() {
    let told = Told::default().call_with(ONE, Operation::Get(1), (20, 0), None, false);
    assert_eq!(told.verdict(), Err(Breach::Endless { call: 0 }));
    let mut told = told;
    told.0.cut_off(0, at(30));
    assert_eq!(told.verdict(), Ok(()));
}

#[test]
fn where_nothing_is_promised_about_invalidations_nothing_is_asked() {
    let told = Told::default().load(7, 10).removes(ONE, (20, 30)).reads(ONE, (31, 32), 7);
    assert_eq!(check(&told.0, &Promises { bound: None }), Ok(()));
}
