        .map_err(BoxError::from)
        .layer(
            tower_resilience_circuitbreaker::CircuitBreakerLayer::builder()
                .failure_classifier(|outcome: &Result<Response<_>, BoxError>| {
                    outcome.as_ref().map_or(true, |response| response.status().is_server_error())
                })
                .build()?,
        )
