//! A call: a turn, a connection, one statement, within the time.

use crate::failure::{self, Retry};
use crate::name::Name;
use crate::options::PostgresOptions;
use crate::statements::{Needs, Sql, Statements};
use crate::tables::Tables;
use deadpool_postgres::{Client, Pool};
use larder_core::{Clock, ErrorKind, Result, SystemClock};
use larder_pooled::Deadline;
use larder_pooled::finish;
use larder_pooled::{Turn, Turns};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error as DriverError, Row};

/// How often a statement is tried where something has to be made anew before it can run.
const ATTEMPTS: usize = 5;

/// The parameters of a statement.
pub(crate) type Values = Vec<Box<dyn ToSql + Send + Sync>>;

/// One of the statements.
pub(crate) type Statement = fn(&Statements) -> &Sql;

/// What became of a statement: its rows, or an error and what may help.
type Once = std::result::Result<Vec<Row>, (DriverError, Retry)>;

/// Whether a statement may run again where nobody knows whether it ran.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twice {
    Fine,
    No,
}

/// What all handles of a store share. A handle.
#[derive(Clone)]
pub(crate) struct Calls(Arc<Inner>);

struct Inner {
    pool: Pool,
    place: String,
    options: PostgresOptions,
    statements: Statements,
    turns: Turns,
    tables: Tables,
}

impl Calls {
    pub(crate) fn new(pool: Pool, place: String, options: &PostgresOptions) -> Self {
        Calls(Arc::new(Inner {
            pool,
            place,
            options: options.clone(),
            statements: Statements::new(options),
            turns: Turns::new(),
            tables: Tables::new(options),
        }))
    }

    pub(crate) fn place(&self) -> &str {
        &self.0.place
    }

    pub(crate) fn options(&self) -> &PostgresOptions {
        &self.0.options
    }

    /// Makes a connection and the table.
    pub(crate) async fn connect(&self, limit: Duration) -> Result<()> {
        let inner = Arc::clone(&self.0);
        let mut deadline = Deadline::new(limit, "PostgreSQL");
        let connect = async move {
            let mut lent = inner.lend().await?;
            inner.tables.ensure(Needs::Records, lent.client(), &inner.place).await.map(|()| lent.give_back())
        };
        finish(async move { deadline.bound(connect).await }).await
    }

    /// Runs a statement that needs no turn, because it may come late without harm.
    pub(crate) async fn run(&self, statement: Statement, values: Values, twice: Twice) -> Result<Vec<Row>> {
        self.run_by(self.deadline(), None, statement, values, twice).await
    }

    /// Runs a statement that writes the rows of `names`, behind those that were called before.
    pub(crate) async fn write(
        &self,
        names: &[Name],
        statement: Statement,
        values: Values,
        twice: Twice,
    ) -> Result<Vec<Row>> {
        let mut deadline = self.deadline();
        let turn = self.0.turns.take(names.iter().map(|name| &name.key));
        let turn = deadline.bound(async { Ok(turn.await) }).await?;
        self.run_by(deadline, Some(turn), statement, values, twice).await
    }

    /// Waits until the writes have ended that were called before.
    pub(crate) async fn pass_writes(&self) -> Result<()> {
        let passed = async {
            self.0.turns.pass().await;
            Ok(())
        };
        self.deadline().bound(passed).await
    }

    /// Returns the end of a call that begins now.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::new(self.0.options.response_timeout, "PostgreSQL")
    }

    async fn run_by(
        &self,
        mut deadline: Deadline,
        turn: Option<Turn>,
        statement: Statement,
        values: Values,
        twice: Twice,
    ) -> Result<Vec<Row>> {
        let inner = Arc::clone(&self.0);
        let values = Arc::new(values);
        finish(async move {
            let rows = deadline.bound(inner.query(statement, &values, twice)).await;
            if rows.as_ref().is_err_and(|error| error.kind() == ErrorKind::Timeout) {
                inner.forget_silent();
            }
            drop(turn);
            rows
        })
        .await
    }
}

impl Inner {
    /// Borrows a connection.
    async fn lend(&self) -> Result<Lent> {
        let client = self.pool.get().await.map_err(|error| failure::of_pool(error, &self.place))?;
        Ok(Lent(Some(client)))
    }

    async fn query(
        self: &Arc<Self>,
        statement: Statement,
        values: &Arc<Values>,
        twice: Twice,
    ) -> Result<Vec<Row>> {
        let mut attempts = 0;
        loop {
            let start = SystemClock.now();
            let lent = self.lend().await?;
            let patience = self.patience(&lent, SystemClock.now().since(start));
            let once = Arc::clone(self).once(lent, statement, Arc::clone(values));
            let done = match patience.map(|patience| Deadline::new(patience, "PostgreSQL")) {
                Some(mut deadline) => finish(async move { deadline.bound(once).await }).await?,
                None => once.await?,
            };
            let (error, retry) = match done {
                Ok(rows) => return Ok(rows),
                Err(failed) => failed,
            };
            // Of those who are in each other's way one gets through each time, so these go on until the time is over.
            attempts += usize::from(retry != Retry::Again);
            let is_fine = retry != Retry::Nothing && (retry != Retry::Reconnect || twice == Twice::Fine);
            if !is_fine || attempts == ATTEMPTS {
                return Err(failure::of_driver(error, &self.place));
            }
        }
    }

    /// How long a statement goes on though the call that waits may end before: a connection that is well would be closed
    /// with the call, and making another would make the next call late as well. A new one has much to do at first.
    fn patience(&self, lent: &Lent, waited: Duration) -> Option<Duration> {
        let PostgresOptions { response_timeout, connect_timeout, .. } = self.options;
        let is_late = waited > response_timeout / 16;
        if lent.is_new() { Some(connect_timeout) } else { is_late.then_some(response_timeout) }
    }

    /// Runs a statement and gives the connection back, if that can serve another one.
    async fn once(
        self: Arc<Self>,
        mut lent: Lent,
        statement: Statement,
        values: Arc<Values>,
    ) -> Result<Once> {
        let sql = statement(&self.statements);
        self.tables.ensure(sql.needs, lent.client(), &self.place).await?;
        let error = match rows(lent.client(), &sql.text, &values).await {
            Ok(rows) => {
                lent.give_back();
                return Ok(Ok(rows));
            }
            Err(error) => error,
        };
        let retry = failure::retry(&error);
        match retry {
            Retry::MakeTable => self.tables.forget(),
            Retry::Prepare => lent.client().statement_cache.clear(),
            // Other connections of a server that went away notice it by themselves.
            Retry::Again | Retry::Reconnect | Retry::Nothing => {}
        }
        if failure::leaves_connection(&error) {
            lent.give_back();
        }
        Ok(Err((error, retry)))
    }

    /// Closes the idle connections of which nothing was heard while a call timed out: they may be just as dead, and each
    /// would cost a call its time to find out.
    fn forget_silent(&self) {
        let limit = self.options.response_timeout;
        drop(self.pool.retain(|_, metrics| metrics.last_used() < limit));
    }
}

async fn rows(client: &Client, sql: &str, values: &Values) -> std::result::Result<Vec<Row>, DriverError> {
    let statement = client.prepare_cached(sql).await?;
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as _).collect();
    client.query(&statement, &values).await
}

/// A borrowed connection. Unless it is given back it is closed: a statement may still be under way on it.
struct Lent(Option<Client>);

impl Lent {
    fn client(&mut self) -> &mut Client {
        self.0.as_mut().expect("it is there until it is given back, which takes the value")
    }

    /// Whether nothing was asked on it yet.
    fn is_new(&self) -> bool {
        self.0.as_ref().is_some_and(|client| Client::metrics(client).recycle_count == 0)
    }

    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(Client::take(client));
        }
    }
}
