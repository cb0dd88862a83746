//! Recipes: what people ask for, and how it is done here. Each is compiled and run.
//!
//! | to | see |
//! |---|---|
//! | send a POST again without paying twice | [retrying](retrying#send-a-post-again-without-paying-twice) |
//! | retry one request differently | [retrying](retrying#retry-one-request-differently) |
//! | retry only what never reached the upstream | [retrying](retrying#retry-only-what-never-reached-the-upstream) |
//! | wait until something is ready | [retrying](retrying#wait-until-something-is-ready) |
//! | call an LLM API | [retrying](retrying#call-an-llm-api) |
//! | find out why it gave up | [retrying](retrying#find-out-why-it-gave-up) |
//! | take an error in a 200 for one | [retrying](retrying#take-an-error-in-a-200-for-one) |
//! | give each route its own time | [time](time#give-each-route-its-own-time) |
//! | keep to the deadline of your caller, and hand it on | [time](time#keep-to-the-deadline-of-your-caller-and-hand-it-on) |
//! | let a stream run, and notice when it stalls | [time](time#let-a-stream-run-and-notice-when-it-stalls) |
//! | drop callers that upload a byte a minute | [time](time#drop-callers-that-upload-a-byte-a-minute) |
//! | serve something else while the upstream is down | [outages](outages#serve-something-else-while-the-upstream-is-down) |
//! | see the circuits, and force one | [outages](outages#see-the-circuits-and-force-one) |
//! | try a breaker without letting it reject | [outages](outages#try-a-breaker-without-letting-it-reject) |
//! | spread calls over several servers | [outages](outages#spread-calls-over-several-servers) |
//! | keep a slow upstream from being buried | [outages](outages#keep-a-slow-upstream-from-being-buried) |
//! | answer honestly from axum | [gateways](gateways#answer-honestly-from-axum) |
//! | find out which hop failed | [gateways](gateways#find-out-which-hop-failed) |
//! | tell a stale connection from a crash | [gateways](gateways#tell-a-stale-connection-from-a-crash) |
//! | log failures only, and a few successes | [seeing](seeing#log-failures-only-and-a-few-successes) |
//! | follow a request by its id | [seeing](seeing#follow-a-request-by-its-id) |
//! | measure for Prometheus | [seeing](seeing#measure-for-prometheus) |
//! | test your own service against a failing upstream | [testing](testing#test-your-own-service-against-a-failing-upstream) |

pub mod gateways;
pub mod outages;
pub mod retrying;
pub mod seeing;
pub mod testing;
pub mod time;
