//! Recipes: what people ask for, and how it is done here. Each is compiled and run.
//!
//! **Clients**
//!
//! - [Put it around reqwest](clients#put-it-around-reqwest)
//! - [Build requests as reqwest does, and read responses so](clients#build-requests-as-reqwest-does-and-read-responses-so)
//! - [Use one hyper client for bodies of several types](clients#use-one-hyper-client-for-bodies-of-several-types)
//! - [Put it around tonic](clients#put-it-around-tonic)
//! - [Leave a part out by a setting](clients#leave-a-part-out-by-a-setting)
//! - [Have another policy for each upstream, from a file](clients#have-another-policy-for-each-upstream-from-a-file)
//! - [Name the type of a client](clients#name-the-type-of-a-client)
//!
//! **Sending again**
//!
//! - [Send a POST again without paying twice](retrying#send-a-post-again-without-paying-twice)
//! - [Retry one request differently](retrying#retry-one-request-differently)
//! - [Retry only what never reached the upstream](retrying#retry-only-what-never-reached-the-upstream)
//! - [Wait until something is ready](retrying#wait-until-something-is-ready)
//! - [Call an LLM API](retrying#call-an-llm-api)
//! - [Find out why it gave up](retrying#find-out-why-it-gave-up)
//! - [Take an error in a 200 for one](retrying#take-an-error-in-a-200-for-one)
//!
//! **Time**
//!
//! - [Give each route its own time](timeouts#give-each-route-its-own-time)
//! - [Keep to the deadline of your caller, and hand it on](timeouts#keep-to-the-deadline-of-your-caller-and-hand-it-on)
//! - [Let a stream run, and notice when it stalls](timeouts#let-a-stream-run-and-notice-when-it-stalls)
//! - [Drop callers that upload a byte a minute](timeouts#drop-callers-that-upload-a-byte-a-minute)
//!
//! **Upstreams that are down**
//!
//! - [Serve something else while the upstream is down](overload#serve-something-else-while-the-upstream-is-down)
//! - [See the circuits, and force one](overload#see-the-circuits-and-force-one)
//! - [Try a breaker without letting it reject](overload#try-a-breaker-without-letting-it-reject)
//! - [Spread calls over several servers](overload#spread-calls-over-several-servers)
//! - [Keep a slow upstream from being buried](overload#keep-a-slow-upstream-from-being-buried)
//!
//! **Servers that pass requests on**
//!
//! - [Answer honestly from axum](gateways#answer-honestly-from-axum)
//! - [Call an upstream from a handler](gateways#call-an-upstream-from-a-handler)
//! - [Find out which hop failed](gateways#find-out-which-hop-failed)
//! - [Tell a stale connection from a crash](gateways#tell-a-stale-connection-from-a-crash)
//!
//! **Seeing what happens**
//!
//! - [Log failures only, and a few successes](observability#log-failures-only-and-a-few-successes)
//! - [Follow a request by its id](observability#follow-a-request-by-its-id)
//! - [Measure for Prometheus](observability#measure-for-prometheus)
//!
//! **Tests**
//!
//! - [Test your own service against a failing upstream](testing#test-your-own-service-against-a-failing-upstream)
//! - [Make a test the same each time](testing#make-a-test-the-same-each-time)

pub mod clients;
pub mod gateways;
pub mod observability;
pub mod overload;
pub mod retrying;
pub mod testing;
pub mod timeouts;
