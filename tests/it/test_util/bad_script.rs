//! Invalid scripts.

use super::*;

fn random_script(percents: &[u8]) -> Result<Script, InvalidScript> {
    let probabilities =
        percents.iter().map(|&percent| (Ratio::percent(percent), Step::status(502)));
    Script::random(1, probabilities, Step::ok(""))
}

#[tokio::test]
async fn upstream_rejects_invalid_script() {
    let header = |name: &str| InvalidScript::Header { name: name.into() };
    let valid = || Step::ok("");
    let invalid: Vec<(Script, InvalidScript, &str)> = vec![
        (Script::new(), InvalidScript::Empty, "expected at least one step in the script"),
        (
            Script::new().times(0, valid()),
            InvalidScript::Empty,
            "expected at least one step in the script",
        ),
        ([].into(), InvalidScript::Empty, "expected at least one step in the script"),
        (
            Step::status(99).into(),
            InvalidScript::Status(99),
            "expected a final status from 200 to 999, found 99",
        ),
        (
            [valid(), Step::status(101)].into(),
            InvalidScript::Status(101),
            "expected a final status from 200 to 999, found 101",
        ),
        (
            Script::new().then(valid()).then_repeat(Step::status(1_000)),
            InvalidScript::Status(1_000),
            "expected a final status from 200 to 999, found 1000",
        ),
        (
            valid().header("a b", "c").into(),
            header("a b"),
            "expected a valid header name and value, found \"a b\"",
        ),
        (
            valid().header("", "c").into(),
            header(""),
            "expected a valid header name and value, found \"\"",
        ),
        (
            Script::random(1, [(Ratio::percent(0), valid().header("a", "b\nc"))], valid()).unwrap(),
            header("a"),
            "expected a valid header name and value, found \"a\"",
        ),
        (
            valid().header("Content-Length", "7").into(),
            InvalidScript::Framing,
            "content-length and transfer-encoding cannot be set by a script",
        ),
        (
            valid().header("transfer-encoding", "chunked").into(),
            InvalidScript::Framing,
            "content-length and transfer-encoding cannot be set by a script",
        ),
    ];
    let service = FlakyService::new(valid()).unwrap();
    for (script, expected, text) in invalid {
        assert_eq!(expected.to_string(), text);
        assert_eq!(FlakyService::new(script.clone()).unwrap_err(), expected);
        assert_eq!(service.set_script(script.clone()).unwrap_err(), expected);
        let error = FlakyUpstream::start(script).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert_eq!(seawall::find_source::<InvalidScript>(&error), Some(&expected));
    }
}

#[test]
fn script_rejects_invalid_probabilities() {
    assert_eq!(random_script(&[]).unwrap_err(), InvalidScript::NoProbabilities);
    assert_eq!(random_script(&[60, 41]).unwrap_err(), InvalidScript::ProbabilitySumExceedsOne);
    assert_eq!(random_script(&[100; 5_000]).unwrap_err(), InvalidScript::ProbabilitySumExceedsOne);
    assert!(random_script(&[60, 40]).is_ok() && random_script(&[0]).is_ok());
    // Probabilities are counted in millionths, so three thirds cause no rounding error.
    let third = Ratio::new(1.0 / 3.0).unwrap();
    let thirds = [(); 3].map(|()| (third, Step::reset()));
    assert!(Script::random(1, thirds, Step::ok("")).is_ok());
}

#[tokio::test]
async fn socket_rejects_in_process_step() {
    for step in [Step::refuse(), Step::error(|| "down")] {
        let script = || Script::new().then(Step::ok("")).then_repeat(step.clone());
        let error = FlakyUpstream::start(script()).await.unwrap_err();
        assert_eq!(seawall::find_source(&error), Some(&InvalidScript::NotOnSocket));
        let mut upstream = FlakyUpstream::start(Step::ok("")).await.unwrap();
        let error = upstream.set_script(script()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "Step::refuse and Step::error work in process only; on a socket, use \
             FlakyUpstream::refuse"
        );
    }
}
