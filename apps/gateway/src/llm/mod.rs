//! A gateway that a file tells what to do: in front of LLM APIs, and of any other server.
//!
//! Each service of the file stands at `/NAME`. One of a single URL has the standard stack, under policies. For one of several
//! upstreams a request meets, from the outside in: the door (who asks, and how often), the
//! deadline, retry, and a balancer over the service's upstreams; each of those has a circuit and a timeout of its own, and
//! says that it is not ready while its circuit is open, so that a further try meets another one.

mod condition;
mod config;
mod door;
mod drain;
mod fault;
mod headers;
mod key;
mod limit;
mod member;
mod pool;
mod refusal;
mod reload;
mod scripted;
mod service;
mod upstream;

pub(crate) use self::{config::Config, fault::Fault, reload::Current};
