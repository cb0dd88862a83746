//! Responses of servers that speak TLS to a request without TLS.

use seawall::{Cause, Processed, Product, Reporter};

use super::classify;

const CLOSE: (&str, &str) = ("connection", "close");
const HTML: (&str, &str) = ("content-type", "text/html");

const NGINX: &str =
    "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n";
const APACHE: &str = "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n\
    <title>400 Bad Request</title>\n</head><body>\n<p>Your browser sent a request that this server could not understand.<br />\n\
    Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />\n";
const GO: &str = "Client sent an HTTP request to an HTTPS server.\n";

#[tokio::test]
async fn layer_names_server_that_speaks_tls() {
    let [nginx, apache] = [Product::Nginx, Product::Apache].map(Reporter::Gateway);
    for (headers, page, reporter) in [
        (&[HTML, CLOSE][..], NGINX, nginx),
        (&[HTML, CLOSE], APACHE, apache),
        (&[], GO, Reporter::Unknown),
    ] {
        let failure = classify(400, headers, page).await;
        assert_eq!((failure.cause(), failure.reporter()), (Cause::HttpProtocolError, reporter));
        assert_eq!(failure.processed(), Processed::Unlikely);
    }
}

/// The body of any other 400 is not read ahead.
#[tokio::test]
async fn layer_does_not_inspect_400_when_connection_stays_open() {
    let failure = classify(400, &[HTML], NGINX).await;
    assert_eq!(failure.cause(), Cause::ClientError);
}
