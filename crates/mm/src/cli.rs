//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Overrides;

/// What is shown below `--help`.
const ENVIRONMENT: &str = "\
Environment:
  MM_SESSION_POOL_URL      address of the session pool [default: http://localhost:5200]
  SESSION_POOL_STATE_DIR   the pool's state directory; its token is `pool.token` there [default: ~/.m365-state]
  SESSION_POOL_TOKEN_FILE  another file with the token
  SESSION_POOL_TOKEN       the token itself
  MM_TOKEN_OVER_HTTP       true: send the token over plain HTTP to other machines too
  SESSION_POOL_LOG_DIR     directory of mm.jsonl, the log of tool calls [default: ~/.m365-logs]

Exit codes of `mm run` and `mm job`:
  0 the command succeeded      1 it failed            2 wrong usage
  3 a person must sign in      4 it timed out         5 it was cancelled
  6 it was lost, or its output 7 it is still running  64 wrong configuration
  69 no pool answers           77 the token is wrong  130 interrupted (the job is cancelled)
  141 nobody reads the output (the job goes on)";

/// Microsoft 365 for AI assistants, over MCP: without a word, a server on standard input and
/// output.
#[derive(Debug, Parser)]
#[command(name = "mm", version, after_help = ENVIRONMENT)]
pub(crate) struct Cli {
    /// Address of the session pool, in place of MM_SESSION_POOL_URL.
    #[arg(long, global = true, value_name = "URL")]
    pool_url: Option<String>,
    /// Send the pool's token over plain HTTP to another machine too.
    #[arg(long, global = true)]
    token_over_http: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) word: Option<Word>,
}

impl Cli {
    /// What it says in place of the environment.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            pool_url: self.pool_url.clone(),
            token_over_http: self.token_over_http,
        }
    }
}

/// What `mm` does.
#[derive(Debug, Subcommand)]
pub(crate) enum Word {
    /// Serve MCP on standard input and output (the same as no word).
    Serve,
    /// Run PowerShell on a connection: output to standard output as it comes, the rest to standard
    /// error. Without arguments: list the connections.
    Run(Run),
    /// Follow a job from its beginning to its end. Without an id: list the jobs.
    Job(Job),
    /// Print what to register with an MCP client.
    Config {
        /// The client.
        client: Client,
    },
}

/// `mm run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Name of the connection.
    #[arg(requires = "module")]
    pub(crate) connection: Option<String>,
    /// exo, pnp, azure or teams.
    #[arg(requires = "command")]
    pub(crate) module: Option<String>,
    /// The PowerShell to run; `-` reads it from standard input.
    #[arg(allow_hyphen_values = true)]
    pub(crate) command: Option<String>,
    /// For pnp: `admin`, or a site's URL.
    #[arg(long)]
    pub(crate) site: Option<String>,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Columns of the text form.
    #[arg(long)]
    pub(crate) width: Option<u16>,
    /// Seconds after which the command is stopped, 1 to 3600 [default: the pool's, 300].
    #[arg(long)]
    pub(crate) timeout_seconds: Option<u32>,
    /// Set when what an earlier answer asked to be confirmed is agreed to.
    #[arg(long)]
    pub(crate) confirmed: bool,
    /// How it is followed.
    #[command(flatten)]
    pub(crate) follow: Follow,
}

/// `mm job`.
#[derive(Debug, Args)]
pub(crate) struct Job {
    /// The job's id.
    pub(crate) id: Option<String>,
    /// Cancel it.
    #[arg(long, requires = "id", conflicts_with = "cursor")]
    pub(crate) cancel: bool,
    /// Where to begin: a cursor of an earlier answer.
    #[arg(long, requires = "id")]
    pub(crate) cursor: Option<String>,
    /// How it is followed.
    #[command(flatten)]
    pub(crate) follow: Follow,
}

/// How a job is followed.
#[derive(Debug, Args)]
pub(crate) struct Follow {
    /// Seconds to wait for the job's end; until then where left out.
    #[arg(long)]
    pub(crate) wait_seconds: Option<u32>,
    /// Print JSON Lines: a record a line as it comes, at last a line of type "end".
    #[arg(long)]
    pub(crate) json: bool,
}

/// Forms of output.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// What a person would see at a console.
    Text,
    /// The output objects as JSON, one a line.
    Json,
}

/// MCP clients that can be configured.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Client {
    /// MCPJungle, the gateway.
    Mcpjungle,
    /// Claude Desktop.
    Claude,
    /// Claude Code.
    ClaudeCode,
    /// Visual Studio Code.
    Vscode,
    /// Cursor.
    Cursor,
}
