//! A breaker and a budget that processes share in Redis: [`SharedBreaker`] and [`SharedBudget`], by a
//! connection that the program has. See [`shared`] for what happens when.

use ::redis::aio::ConnectionLike;
use ::redis::{RedisError, Script};

use crate::shared::{self, Store, Stored};

/// A breaker that processes share in Redis.
pub type SharedBreaker<C> = shared::SharedBreaker<RedisStore<C>>;
/// A budget that processes share in Redis.
pub type SharedBudget<C> = shared::SharedBudget<RedisStore<C>>;

// Word for word those of the npm package, so that a server has each once.
const READ: &str = "local stored = redis.call('HMGET', KEYS[1], 'version', 'value')
local time = redis.call('TIME')
return {stored[1] or '', stored[2] or '', time[1], time[2]}";
const WRITE: &str = "local version = redis.call('HGET', KEYS[1], 'version') or ''
if version == ARGV[2] then return 1 end
if version ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'value', ARGV[3])
return 1";

/// Redis as a [`Store`], by a connection of the crate redis: a `MultiplexedConnection`, a
/// `ConnectionManager`, or that of a cluster. Each state has one key.
///
/// A `MultiplexedConnection` does not connect anew: take a `ConnectionManager` for a program that
/// outlives its Redis.
#[derive(Clone, Debug)]
pub struct RedisStore<C> {
    connection: C,
    read: Script,
    write: Script,
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
    /// By this connection.
    pub fn new(connection: C) -> Self {
        Self { connection, read: Script::new(READ), write: Script::new(WRITE) }
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Store for RedisStore<C> {
    type Error = RedisError;

    async fn read(&self, key: &str) -> Result<Stored, RedisError> {
        let mut connection = self.connection.clone();
        let (version, value, seconds, micros): (String, String, u64, u64) =
            self.read.key(key).invoke_async(&mut connection).await?;
        Ok(Stored { version, value, now_us: seconds * 1_000_000 + micros })
    }

    async fn write(
        &self,
        key: &str,
        version: &str,
        next: &str,
        value: &str,
    ) -> Result<bool, RedisError> {
        let mut connection = self.connection.clone();
        let mut write = self.write.key(key);
        let write = write.arg(version).arg(next).arg(value);
        write.invoke_async(&mut connection).await
    }
}
