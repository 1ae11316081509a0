// `logvault pki init|issue|revoke|rotate|retire`: the certificate authority, in a folder that never lies on the collector.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"
#include "config/units.h"
#include "pki/authority.h"
#include "pki/vault_key_change.h"

namespace logvault::cli {
namespace {

// As typed, of whichever subcommand.
struct PkiOptions {
  std::string dir, vault_name, role, name, ttl, out, vault_pub;
  std::vector<std::string> sans;
};

ExitCode RunInit(const PkiOptions& options, Environment& env) {
  Status made = pki::InitAuthority(options.dir, options.vault_name, env.clock);
  if (!made.ok()) return Fail(made);
  Tell("made the authority of vault " + options.vault_name + " in " + options.dir +
       "; keep this folder off every host and collector, and next run `logvault pki issue`");
  return ExitCode::kOk;
}

ExitCode RunIssue(const PkiOptions& options, Environment& env) {
  Result<pki::Role> role = pki::ParseRole(options.role);
  if (!role.ok()) return Fail(role.status());
  pki::IssueRequest request;
  request.role = *role;
  request.name = options.name;
  request.sans = options.sans;
  request.out_dir = options.out;
  if (!options.ttl.empty()) {
    Result<std::int64_t> ttl = config::ParseDuration(options.ttl);
    if (!ttl.ok()) return Fail(ttl.status().WithContext("--ttl"));
    request.ttl_ns = *ttl;
  }
  Status issued = pki::IssueCertificate(options.dir, request, env.clock);
  if (!issued.ok()) return Fail(issued);
  Tell("issued " + options.role + " " + options.name + " into " + options.out);
  return ExitCode::kOk;
}

ExitCode RunRevoke(const PkiOptions& options, Environment& env) {
  Result<int> revoked = pki::RevokeName(options.dir, options.name, env.clock);
  if (!revoked.ok()) return Fail(revoked.status());
  Tell("revoked " + std::to_string(*revoked) + " certificate" + (*revoked == 1 ? "" : "s") +
       " of " + options.name + "; now copy " + options.dir +
       "/crl.pem to the collector, which reads it within 10 s");
  return ExitCode::kOk;
}

ExitCode RunRotate(const PkiOptions& options) {
  const Status made = pki::RotateVaultKey(options.dir);
  if (!made.ok()) return Fail(made);
  Tell("new vault keys are in " + options.dir + "/vault.key, beside those before: copy it to the " +
       "collector and restart that, then `logvault vault-key change " + options.dir +
       "/vault.pub`");
  return ExitCode::kOk;
}

ExitCode RunRetire(const PkiOptions& options) {
  const Status retired = pki::RetireVaultKey(options.dir, options.vault_pub);
  if (!retired.ok()) return Fail(retired);
  Tell(options.dir + "/vault.key no longer holds retired signing keys: copy it to the collector");
  return ExitCode::kOk;
}

void AddDir(CLI::App& command, PkiOptions& options) {
  command.add_option("DIR", options.dir, "the authority's folder")->required()->type_name("");
}

CLI::App* DefineIssue(CLI::App& command, PkiOptions& options) {
  CLI::App* issue =
      command.add_subcommand("issue", "issue a certificate, with everything its holder needs");
  AddDir(*issue, options);
  issue->add_option("--role", options.role, "what its holder is")
      ->required()
      ->type_name("collector|forwarder|investigator|admin");
  issue->add_option("--name", options.name, "host or person: [a-z0-9._-]{1,63}")
      ->required()
      ->type_name("NAME");
  issue->add_option("--san", options.sans, "a DNS name or IP address; may be repeated")
      ->type_name("X")
      ->allow_extra_args(false);
  issue->add_option("--ttl", options.ttl, "90s, 15m, 72h, 365d; default 365d, for people 72h")
      ->type_name("TTL");
  issue->add_option("--out", options.out, "the folder to fill")->required()->type_name("DIR2");
  return issue;
}

}  // namespace

Action DefinePki(CLI::App& command) {
  auto options = std::make_shared<PkiOptions>();
  CLI::App* init = command.add_subcommand("init", "make a CA and the vault's keys");
  AddDir(*init, *options);
  init->add_option("--name", options->vault_name, "the vault's name")
      ->required()
      ->type_name("VAULT");

  CLI::App* issue = DefineIssue(command, *options);
  CLI::App* revoke =
      command.add_subcommand("revoke", "revoke every unexpired certificate of a name");
  AddDir(*revoke, *options);
  revoke->add_option("NAME", options->name, "in any role")->required()->type_name("");

  CLI::App* rotate =
      command.add_subcommand("rotate", "make new vault keys, for `logvault vault-key change`");
  AddDir(*rotate, *options);
  CLI::App* retire = command.add_subcommand("retire", "forget a vault key that was retired");
  AddDir(*retire, *options);
  retire->add_option("VAULT_PUB", options->vault_pub, "from `logvault vault-key save`")
      ->required()
      ->type_name("");

  command.require_subcommand(1);
  command.footer(
      "Examples:\n"
      "  logvault pki init ./pki --name lab-vault\n"
      "  logvault pki issue ./pki --role collector --name vault01 --san 10.0.0.5 --out "
      "./collector\n"
      "  logvault pki issue ./pki --role investigator --name alice --ttl 8h --out ./alice\n"
      "  logvault pki revoke ./pki geo01\n");
  return [options, init, issue, rotate, retire](Environment& env) {
    if (init->parsed()) return RunInit(*options, env);
    if (issue->parsed()) return RunIssue(*options, env);
    if (rotate->parsed()) return RunRotate(*options);
    if (retire->parsed()) return RunRetire(*options);
    return RunRevoke(*options, env);
  };
}

}  // namespace logvault::cli
