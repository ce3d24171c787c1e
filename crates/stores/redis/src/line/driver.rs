//! The task that sends what waits, and hands out the answers.

use super::queue::Call;
use super::{Failure, Reply, Shared, Why};
use crate::dial::Dialed;
use crate::fault;
use crate::identity::Identity;
use larder_core::{Clock, Error, Sleep, SystemClock, Time};
use redis::{Pipeline, RedisResult, Value};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// Pipelines that are under way at the same time: the server works at one while the answers of the other are handed out.
const FLIGHTS: usize = 2;

pub(super) struct Driver {
    shared: Arc<Shared>,
    connection: Connection,
    /// In the order in which they were sent, in which they are answered too.
    flights: VecDeque<Flight>,
    /// What the server calls the last connection, which may have died in its eyes or not.
    last: Option<i64>,
    /// The deadline that the timer was set for, no later than that of the oldest call.
    timer: Option<(Time, Sleep)>,
    /// Whether the tasks that were ready have had their turn since there was something to send.
    has_waited: bool,
}

enum Connection {
    None,
    Dialing(Pin<Box<dyn Future<Output = Result<Dialed, Error>> + Send>>),
    Up(Dialed),
}

struct Flight {
    /// One for each command; nobody for what is only said.
    waiting: Vec<Option<Waiting>>,
    /// That of its oldest call.
    deadline: Time,
    /// Who answers.
    server: Option<Identity>,
    answers: Pin<Box<dyn Future<Output = RedisResult<Vec<Value>>> + Send>>,
}

struct Waiting {
    answer: oneshot::Sender<Result<Reply, Failure>>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Driver {
            shared,
            connection: Connection::None,
            flights: VecDeque::with_capacity(FLIGHTS),
            last: None,
            timer: None,
            has_waited: false,
        }
    }

    /// Hands out the answers that have come.
    fn land(&mut self, cx: &mut Context<'_>) {
        while let Some(first) = self.flights.front_mut()
            && let Poll::Ready(answers) = first.answers.as_mut().poll(cx)
        {
            let landed = self.flights.pop_front().map(|flight| (flight.waiting, flight.server));
            let (waiting, server) = landed.unwrap_or_default();
            match answers {
                Ok(answers) if answers.len() == waiting.len() => {
                    let place = self.shared.dialer.place();
                    for (waiting, answer) in waiting.into_iter().zip(answers) {
                        let Some(waiting) = waiting else { continue };
                        let answer = answer.extract_error().map(|value| Reply { value, server });
                        waiting.tell(answer.map_err(|error| fault::of_answer(&error, place)));
                    }
                }
                Ok(_) => {
                    let error = fault::unexpected(self.shared.dialer.place());
                    self.hang_up(waiting, &Failure::new(error, Why::Lost));
                }
                Err(error) => {
                    let error = fault::of_driver(&error, self.shared.dialer.place());
                    self.hang_up(waiting, &Failure::new(error, Why::Lost));
                }
            }
        }
    }

    /// Gives the connection up, with those who wait for answers on it.
    fn hang_up(&mut self, waiting: Vec<Option<Waiting>>, failure: &Failure) {
        self.connection = Connection::None;
        let others = self.flights.drain(..).flat_map(|flight| flight.waiting);
        for waiting in waiting.into_iter().chain(others).flatten() {
            waiting.tell(Err(failure.clone()));
        }
    }

    /// Goes on connecting, also when nobody waits for it any more: it may take longer than a call.
    fn dial(&mut self, cx: &mut Context<'_>) {
        let Connection::Dialing(dial) = &mut self.connection else { return };
        match dial.as_mut().poll(cx) {
            Poll::Pending => {}
            Poll::Ready(Ok(dialed)) => {
                self.last = dialed.id;
                self.connection = Connection::Up(dialed);
            }
            Poll::Ready(Err(error)) => {
                self.connection = Connection::None;
                // Nothing of theirs was sent.
                let failure = Failure::new(error, Why::NotSent);
                let calls = self.shared.queue.lock().take_all();
                for call in calls {
                    call.fail(&failure);
                }
            }
        }
    }

    /// Connects if need be, and sends what waits.
    fn send(&mut self, cx: &mut Context<'_>) {
        self.dial(cx);
        while self.flights.len() < FLIGHTS {
            {
                let mut queue = self.shared.queue.lock();
                if queue.is_empty() {
                    if self.flights.is_empty() {
                        queue.is_idle();
                    }
                    queue.waker = Some(cx.waker().clone());
                    self.has_waited = false;
                    return;
                }
            }
            if !self.has_waited {
                self.has_waited = true;
                cx.waker().wake_by_ref();
                return;
            }
            match &mut self.connection {
                Connection::None => {
                    // It stays the last one until there is another: this attempt may come to nothing.
                    let dial = self.shared.dialer.dial(self.last);
                    self.connection = Connection::Dialing(Box::pin(dial));
                    self.dial(cx);
                }
                Connection::Dialing(_) => return,
                // Nothing was sent on it since it ended, so that nothing needs to be sent twice.
                Connection::Up(dialed) if dialed.is_gone() && self.flights.is_empty() => {
                    self.connection = Connection::None;
                }
                Connection::Up(dialed) => {
                    let calls = self.shared.queue.lock().take();
                    let mut flight = Flight::new(dialed, calls);
                    // With this it is sent. An answer that is there already is an error, and is found by `land`.
                    let answered = flight.answers.as_mut().poll(cx);
                    if let Poll::Ready(answers) = answered {
                        flight.answers = Box::pin(std::future::ready(answers));
                        cx.waker().wake_by_ref();
                    }
                    self.flights.push_back(flight);
                }
            }
        }
    }

    /// Ends those whose time is over. Returns whether there were any.
    fn end_late(&mut self, cx: &mut Context<'_>) -> bool {
        let earliest = |driver: &Self| {
            let queued = driver.shared.queue.lock().deadline();
            driver.flights.front().map(|flight| flight.deadline).or(queued)
        };
        let Some(deadline) = earliest(self) else { return false };
        // Set for a call that was given longer, as the first of all is.
        self.timer.take_if(|(set_for, _)| *set_for > deadline);
        let (_, timer) = self
            .timer
            .get_or_insert_with(|| (deadline, SystemClock.sleep(deadline.since(SystemClock.now_exact()))));
        if timer.as_mut().poll(cx).is_pending() {
            return false;
        }
        self.timer = None;
        let now = SystemClock.now_exact();
        let late = self.shared.late();
        if self.flights.front().is_some_and(|flight| flight.deadline <= now) {
            self.hang_up(Vec::new(), &Failure::new(late.clone(), Why::Late));
        }
        let calls = self.shared.queue.lock().take_late(now);
        for call in calls {
            call.fail(&Failure::new(late.clone(), Why::Late));
        }
        true
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.land(cx);
            self.send(cx);
            if !self.end_late(cx) {
                break;
            }
        }
        let mut queue = self.shared.queue.lock();
        if queue.closing && queue.is_empty() && self.flights.is_empty() {
            queue.has_driver = false;
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl Drop for Driver {
    /// The runtime has ended, or the line: whoever waits is told by the end of its sender.
    fn drop(&mut self) {
        let mut queue = self.shared.queue.lock();
        queue.has_driver = false;
        queue.waker = None;
        let calls = queue.take_all();
        drop(queue);
        drop(calls);
    }
}

impl Flight {
    fn new(dialed: &Dialed, calls: Vec<Call>) -> Self {
        let deadline = calls.first().map_or(SystemClock.now_exact(), |call| call.deadline);
        let mut pipeline = Pipeline::with_capacity(calls.len());
        let mut waiting = Vec::with_capacity(calls.len());
        for Call { asking, cmd, answer, room, .. } in calls {
            if asking {
                pipeline.add_command(redis::cmd("ASKING"));
                waiting.push(None);
            }
            pipeline.add_command(cmd);
            waiting.push(Some(Waiting { answer, _room: room }));
        }
        let mut connection = dialed.connection.clone();
        let answers = async move { connection.send_packed_commands(&pipeline, 0, pipeline.len()).await };
        Flight { waiting, deadline, server: dialed.server, answers: Box::pin(answers) }
    }
}

impl Waiting {
    fn tell(self, answer: Result<Reply, Failure>) {
        // Whoever left does not want to know.
        drop(self.answer.send(answer));
    }
}

impl Call {
    fn fail(self, failure: &Failure) {
        drop(self.answer.send(Err(failure.clone())));
    }
}
