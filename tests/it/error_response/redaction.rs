//! Secrets in error messages that are sent to the caller.

use super::*;

/// Returns the error message in each output of a response.
async fn disclosed(layer: &ErrorResponseLayer, error: &BoxError) -> Vec<String> {
    let mut outputs = Vec::new();
    for accept in ["application/json", "text/html", "text/plain", "application/grpc"] {
        let mut request = request(Method::POST);
        let name = if accept == "application/grpc" { "content-type" } else { "accept" };
        request.headers_mut().insert(name, accept.parse().unwrap());
        let copy = io::Error::other(error.to_string());
        let response = respond_with(layer.clone().include_error_text(true), request, copy).await;
        outputs.push(format!("{:?}", response.headers()));
        outputs.push(text(response).await);
    }
    outputs
}

#[tokio::test]
async fn response_hides_secrets_when_error_text_is_included() {
    let layer = ErrorResponseLayer::new("edge").redact(["vat"]).redact_paths(["/v3/{key}"]);
    for message in [
        "connect postgres://me:SECRET@db/x",
        "error sending request for url (https://me:SECRET@h/?token=SECRET)",
        "GET /bot1:SECRET/getMe",
        "GET https://h/v3/SECRET",
        "vat=SECRET",
    ] {
        let outputs = disclosed(&layer, &message.into()).await;
        assert!(outputs.iter().all(|output| !output.contains("SECRET")), "{outputs:#?}");
        assert!(outputs.iter().filter(|output| output.contains("REDACTED")).count() >= 4);
    }
}

#[cfg(feature = "reqwest-0_13")]
#[tokio::test]
async fn response_hides_url_secrets_of_reqwest_error_when_text_is_included() {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let call = client.get("http://me:hunter2@127.0.0.1:1/a?token=SECRET").send();
    let error: BoxError = call.await.unwrap_err().into();
    assert!(error.to_string().contains("SECRET"));
    let response = respond_with(
        ErrorResponseLayer::new("edge").include_error_text(true),
        request(Method::GET),
        error,
    );
    let response = response.await;
    let all = format!("{:?} {}", response.headers().clone(), text(response).await);
    assert!(all.contains("127.0.0.1:1/a?REDACTED"), "{all}");
    assert!(!all.contains("SECRET") && !all.contains("hunter2"), "{all}");
}
