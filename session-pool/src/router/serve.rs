//! The router's process, from its token to the last answer.

use tokio_util::sync::CancellationToken;

use crate::http::{self, Access, AllowedHosts, Metrics};
use crate::serve::{
    ServeError, end_at_second_signal, listen, private_directory, registry, stop_signal, tls, token,
};

use super::backends::BackendKeeper;
use super::config::RouterConfig;
use super::jobs::JobOwners;
use super::{App, Parts, routes};

/// Serves until a signal says stop.
///
/// # Errors
/// [`ServeError`], each with what to do.
pub fn run(config: &RouterConfig) -> Result<(), ServeError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(serve(config))
}

async fn serve(config: &RouterConfig) -> Result<(), ServeError> {
    let listener = listen(config.access.listen).await?;
    let state = &config.places.state_dir;
    private_directory(state, state)?;
    let token = token(&config.access.token, state)?;
    let tls = tls(&config.access)?;
    let metrics = Metrics::install().map_err(|error| ServeError::Metrics(error.to_string()))?;
    let (watcher, registry) = registry(&config.places)?;
    let (keeper, backends) = BackendKeeper::new(config, registry.clone());
    let access = Access::new(
        token.value,
        token.hint,
        AllowedHosts::of_this_machine(config.access.allowed_hosts.iter().cloned()),
    );
    let app = App(std::sync::Arc::new(Parts {
        backends,
        owners: JobOwners::default(),
        registry,
        access,
        metrics: metrics.clone(),
        docker: config.docker.clone(),
    }));

    let stop = stop_signal()?;
    let ending = CancellationToken::new();
    tracing::info!(address = %listener.local_addr()?, "routing");
    let mut chores = tokio::task::JoinSet::new();
    chores.spawn(watcher.run(ending.clone()));
    chores.spawn(keeper.run(ending.clone()));
    let mut answers = tokio::spawn(http::serve_routes(
        listener,
        tls,
        routes::routes(app),
        metrics,
        ending.clone().cancelled_owned(),
    ));
    let early = tokio::select! {
        result = &mut answers => Some(result),
        signal = stop => {
            tracing::info!(signal, "stopping");
            chores.spawn(end_at_second_signal());
            None
        }
    };
    ending.cancel();
    let result = match early {
        Some(result) => result,
        // Jobs live on in their pools: who is cut off here asks for them again.
        None => match tokio::time::timeout(config.drain, &mut answers).await {
            Ok(result) => result,
            Err(_) => {
                answers.abort();
                Ok(Ok(()))
            }
        },
    };
    chores.shutdown().await;
    result.map_err(std::io::Error::other)??;
    tracing::info!("stopped");
    Ok(())
}
