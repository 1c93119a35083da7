//! The command line.

use std::path::PathBuf;

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
  SESSION_POOL_REGISTRY    the connections [default: ~/.m365-connections.json]
  MM_FILES_DIR             directory of save_to and upload_from; none where left out
  MM_GRAPH_TOKENS_DIR      tokens of Microsoft Graph [default: ~/.mm-graph-tokens]
  MM_SECRETS_DIR           certificates and client secrets [default: ~/.m365-secrets]
  MM_SEND_GUARDS           false: send mail and Teams messages without a preview; legacy: take --confirmed for a yes
  SESSION_POOL_POLICY      the policy file [default: ~/.m365-policy/policy.toml]
  SESSION_POOL_LOG_DIR     directory of mm.jsonl, the log of tool calls, and audit-graph.jsonl [default: ~/.m365-logs]

Exit codes of `mm run`, `mm job` and `mm graph`:
  0 the command succeeded      1 it failed            2 wrong usage
  3 a person must sign in      4 it timed out         5 it was cancelled
  6 it was lost, or its output 7 it is still running  8 it must be confirmed
  9 the policy refuses it      64 wrong configuration
  69 no pool that takes it     77 the token is wrong  130 interrupted (the job is cancelled)
  141 nobody reads the output (the job goes on)

Exit codes of `mm sign-in` and `mm sign-out`:
  0 all is done                1 something failed, and its line says why
  2 wrong usage, or no such connection
  64, 69, 77 as above          130 interrupted (the codes stay valid)";

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
    /// The directory that graph_request may save files to and send files from, in place of
    /// MM_FILES_DIR.
    #[arg(long, global = true, value_name = "DIRECTORY")]
    pub(crate) files_dir: Option<PathBuf>,
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
            files_dir: self.files_dir.clone(),
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
    /// Call Microsoft Graph: JSON to standard output. Without arguments: list the connections.
    Graph(Box<GraphCall>),
    /// Look at what waits for a person's yes, and say it.
    Confirm(Confirm),
    /// Sign a connection in, to Microsoft Graph and in the session pool's modules, and wait until it
    /// is done.
    SignIn(Who),
    /// Sign a connection out, and delete what is kept of its sign-ins.
    SignOut(Who),
    /// Look for what is wrong (registry, pool, token, caches, clock, hosts), and say how to mend it.
    Doctor {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
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
    /// The code of an answer that asked for a confirmation, when it is agreed to.
    #[arg(long, value_name = "CODE")]
    pub(crate) confirmation: Option<String>,
    /// Confirms nothing, except where the pool runs with MM_SEND_GUARDS=legacy.
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
    /// Cancel it, and wait until it has ended: exit code 0 where it is cancelled.
    #[arg(long, requires = "id", conflicts_with = "cursor")]
    pub(crate) cancel: bool,
    /// Where to begin: a cursor of an earlier answer.
    #[arg(long, requires = "id")]
    pub(crate) cursor: Option<String>,
    /// How it is followed.
    #[command(flatten)]
    pub(crate) follow: Follow,
}

/// `mm graph`.
#[derive(Debug, Args)]
pub(crate) struct GraphCall {
    /// Name of the connection.
    pub(crate) connection: Option<String>,
    /// Path with query, such as '/users?$top=5'.
    pub(crate) endpoint: Option<String>,
    /// GET, POST, PATCH, PUT or DELETE [default: GET].
    #[arg(long, short = 'X')]
    pub(crate) method: Option<String>,
    /// What is sent: JSON, or a text; `-` reads it from standard input.
    #[arg(long, short = 'd', allow_hyphen_values = true)]
    pub(crate) body: Option<String>,
    /// graph, or flow for Power Automate.
    #[arg(long)]
    pub(crate) resource: Option<String>,
    /// NAME=VALUE: a query option, not encoded; may come more than once.
    #[arg(long, short = 'q', value_name = "NAME=VALUE")]
    pub(crate) query: Vec<String>,
    /// NAME: VALUE: a header of the allow-list; may come more than once.
    #[arg(long, short = 'H', value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,
    /// Fetch further pages too.
    #[arg(long)]
    pub(crate) all_pages: bool,
    /// Most items [default: 1000 with --all-pages].
    #[arg(long)]
    pub(crate) max_items: Option<u32>,
    /// Properties that are wanted, with commas between them.
    #[arg(long, value_name = "FIELDS")]
    pub(crate) select: Option<String>,
    /// Where an earlier answer goes on, in place of an endpoint.
    #[arg(long)]
    pub(crate) cursor: Option<String>,
    /// Write the answer to this path below --files-dir.
    #[arg(long, value_name = "PATH")]
    pub(crate) save_to: Option<String>,
    /// Send the file of this path below --files-dir.
    #[arg(long, value_name = "PATH")]
    pub(crate) upload_from: Option<String>,
    /// The code of an answer that asked for a confirmation, when it is agreed to.
    #[arg(long, value_name = "CODE")]
    pub(crate) confirmation: Option<String>,
    /// Confirms nothing, except with MM_SEND_GUARDS=legacy.
    #[arg(long)]
    pub(crate) confirmed: bool,
    /// Print one JSON object, with status and cursor.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `mm confirm`.
#[derive(Debug, Args)]
pub(crate) struct Confirm {
    /// The id of an answer that waits for a person.
    pub(crate) id: String,
    /// Do not ask: the preview has been read elsewhere.
    #[arg(long)]
    pub(crate) yes: bool,
}

/// `mm sign-in` and `mm sign-out`.
#[derive(Debug, Args)]
pub(crate) struct Who {
    /// Name of the connection.
    pub(crate) connection: String,
    /// Only these, with commas between them: graph, flow (Power Automate), exo, pnp, azure, teams.
    /// Without it graph, and what the pool's connection can be used with; a pool that does not answer
    /// is then left out.
    #[arg(long, value_name = "MODULES", value_delimiter = ',')]
    pub(crate) modules: Vec<Target>,
    /// For Power Automate: the same as --modules flow.
    #[arg(long, conflicts_with = "modules")]
    pub(crate) flow: bool,
}

/// What can be signed in to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// Microsoft Graph.
    Graph,
    /// Power Automate.
    Flow,
    /// Exchange Online, in the pool.
    Exo,
    /// SharePoint, in the pool.
    Pnp,
    /// Azure, in the pool.
    Azure,
    /// Microsoft Teams, in the pool.
    Teams,
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
