/*
 * Programs that run whatever their arguments say. A command through one of them is never known to
 * be reversible.
 */
#include "policy_rules.h"

#include <string.h>

static const char *const names[] = {
	/* shells */
	"sh", "bash", "rbash", "dash", "ash", "zsh", "ksh", "ksh93", "mksh", "lksh", "csh", "tcsh",
	"fish", "elvish", "xonsh", "nu", "pwsh", "powershell", "busybox", "toybox",
	/* interpreters */
	"python", "pypy", "ipython", "perl", "ruby", "irb", "node", "nodejs", "deno", "bun", "lua",
	"luajit", "tclsh", "wish", "expect", "php", "awk", "gawk", "mawk", "nawk", "original-awk",
	"sed", "gsed", "bc", "dc", "R", "Rscript", "julia", "java", "jshell", "jjs", "groovy",
	"scala", "kotlin", "clojure", "guile", "racket", "sbcl", "clisp", "scheme", "ghc", "ghci",
	"runghc", "ocaml", "erl", "escript", "elixir", "iex", "dotnet", "mono", "osascript", "gdb",
	"lldb", "jq",
	/* programs that build or fetch and then run */
	"make", "gmake", "ninja", "cmake", "go", "cargo", "npm", "npx", "yarn", "pnpm", "pip",
	"pipx", "uv", "gem", "bundle", "rake", "mvn", "gradle", "ansible", "ansible-playbook",
	"git",
	/* editors and pagers with a way out to a shell */
	"ed", "ex", "vi", "vim", "nvim", "view", "emacs", "nano", "less", "more", "man",
	/* programs that start another one */
	"env", "xargs", "parallel", "find", "sudo", "su", "sudoedit", "doas", "pkexec", "runuser",
	"run0", "setpriv", "capsh", "chroot", "unshare", "nsenter", "bwrap", "firejail",
	"systemd-run", "machinectl", "start-stop-daemon", "timeout", "nohup", "nice", "ionice",
	"chrt", "taskset", "setsid", "setarch", "linux32", "linux64", "stdbuf", "unbuffer", "time",
	"watch", "flock", "script", "screen", "tmux", "at", "batch", "crontab", "exec", "eval",
	"command", "strace", "ltrace", "perf", "valgrind", "prlimit", "numactl", "faketime",
	"fakeroot", "run-parts", "entr", "inotifywait", "rlwrap", "logsave",
	/* and those that do so elsewhere */
	"ssh", "sshpass", "rsh", "rlogin", "dsh", "pdsh", "pssh", "mosh", "telnet", "nc", "ncat",
	"netcat", "socat", "docker", "podman", "nerdctl", "ctr", "crictl", "lxc", "lxc-attach",
	"virsh",
};

/* The dynamic loader takes a program as its argument. */
static const char *const prefixes[] = {"ld-linux", "ld-musl", "ld.so", "ld64.so", "ld-2."};

/* Length of a name without a version at its end: python3.11, lua5.4, ksh-93. */
static size_t bare_length(const char *name)
{
	size_t len = strlen(name);

	while (len > 0 && strchr("0123456789.", name[len - 1]) != NULL)
		len--;
	if (len > 0 && name[len - 1] == '-')
		len--;
	return len;
}

bool cs_is_interpreter(const char *executable)
{
	const char *slash = strrchr(executable, '/');
	const char *name = slash != NULL ? slash + 1 : executable;
	size_t bare = bare_length(name);

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
		if (strlen(names[i]) == bare && memcmp(name, names[i], bare) == 0)
			return true;
	}
	return false;
}
