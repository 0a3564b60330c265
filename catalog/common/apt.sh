# Packages for a recipe, from the mirrors this host already uses: sourced by the bake.sh files.
#
# Only sources that serve the distribution itself count (a suite named after the release, with the
# component `main`); repositories of third parties are left out. Nothing on the host is changed: lists,
# cache and status live in the recipe's work folder, so an ordinary user can run it as well as root.

# distribution_sources CODENAME: one-line apt sources of that release, from the host's own.
#
# Reads one-line files (*.list) and deb822 files (*.sources). On a Debian host of another release the
# same mirrors are asked for CODENAME. On a host that is not Debian, IMAGO_DEBIAN_MIRROR (and, if
# wanted, IMAGO_DEBIAN_SECURITY_MIRROR) name the mirror of a Debian release.
distribution_sources() {
  local wanted=$1 host_id host_codename keyring
  host_id=$(. /etc/os-release && echo "$ID")
  host_codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  if [ -n "${IMAGO_DEBIAN_MIRROR:-}" ] && { [ "$host_id" != ubuntu ] || [ "$wanted" != "$host_codename" ]; }; then
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb [signed-by=$keyring] $IMAGO_DEBIAN_MIRROR $wanted main"
    if [ -n "${IMAGO_DEBIAN_SECURITY_MIRROR:-}" ]; then
      echo "deb [signed-by=$keyring] $IMAGO_DEBIAN_SECURITY_MIRROR $wanted-security main"
    fi
    return
  fi
  if [ "$wanted" != "$host_codename" ] && [ "$host_id" != debian ]; then return; fi
  {
    { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true; } | one_line_sources
    for file in /etc/apt/sources.list.d/*.sources; do
      [ -f "$file" ] && deb822_sources <"$file" || true
    done
  } | awk -v host="$host_codename" -v wanted="$wanted" '
      # deb [OPTIONS]<tab>URI<tab>SUITE<tab>COMPONENTS, as both readers print them.
      BEGIN { FS = "\t" }
      $3 == host || $3 == host "-updates" || $3 == host "-security" {
        if (" " $4 " " !~ / main /) next
        suite = wanted substr($3, length(host) + 1)
        line = $1 " " $2 " " suite " main" (" " $4 " " ~ / universe / ? " universe" : "")
        if (!seen[line]++) print line
      }'
}

one_line_sources() {
  sed -nE 's/^[[:space:]]*deb[[:space:]]+(\[[^]]*\])?[[:space:]]*([^[:space:]]+)[[:space:]]+([^[:space:]]+)[[:space:]]+([^#]*).*/deb \1\t\2\t\3\t\4/p'
}

# A stanza has several URIs and suites: each pair becomes a line. A key written into the stanza itself
# cannot be said in one line; such a source relies on apt's trusted keys instead.
deb822_sources() {
  awk '
    function flush(   i, j, u, s, nu, ns, options) {
      if ((" " field["types"] " ") ~ / deb / && tolower(field["enabled"]) != "no") {
        options = field["signed-by"] ~ /^\// ? "[signed-by=" field["signed-by"] "]" : ""
        nu = split(field["uris"], u, " "); ns = split(field["suites"], s, " ")
        for (i = 1; i <= nu; i++) for (j = 1; j <= ns; j++)
          print "deb " options "\t" u[i] "\t" s[j] "\t" field["components"]
      }
      delete field; name = ""
    }
    /^#/ { next }
    /^[[:space:]]*$/ { flush(); next }
    /^[[:space:]]/ { sub(/^[[:space:]]+/, ""); field[name] = field[name] " " $0; next }
    { name = tolower(substr($0, 1, index($0, ":") - 1)); value = substr($0, index($0, ":") + 1)
      gsub(/^[[:space:]]+|[[:space:]]+$/, "", value); field[name] = value }
    END { flush() }'
}

# host_acquire_options: the host's way of reaching its mirrors (proxies, certificates, dates), one a line.
host_acquire_options() {
  apt-config dump --no-empty --format '%f "%v";%n' 2>/dev/null |
    grep -E '^Acquire::(http|https|Check-Valid-Until|Check-Date|Retries)\b' || true
}

# open_apt WORK CODENAME: a private apt below WORK/apt; afterwards `private_apt get …` and `private_apt cache …` use it.
open_apt() {
  apt_folder=$1/apt
  mkdir -p "$apt_folder"/{lists/partial,cache/archives/partial,parts}
  : >"$apt_folder/status"
  distribution_sources "$2" >"$apt_folder/sources.list"
  if [ ! -s "$apt_folder/sources.list" ]; then
    echo "No apt source of this host serves '$2': add one to /etc/apt/sources.list.d, or set IMAGO_DEBIAN_MIRROR to a Debian mirror's URL" >&2
    return 1
  fi
  cat >"$apt_folder/apt.conf" <<END
Dir::State "$apt_folder";
Dir::State::status "$apt_folder/status";
Dir::Cache "$apt_folder/cache";
Dir::Etc::sourcelist "$apt_folder/sources.list";
Dir::Etc::sourceparts "$apt_folder/parts";
Debug::NoLocking "true";
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Languages "none";
#clear APT::Update::Post-Invoke-Success;
#clear APT::Update::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
#clear Acquire::IndexTargets::deb::DEP-11;
END
  private_apt get -qq update
}

private_apt() {
  local tool=$1
  shift
  APT_CONFIG="$apt_folder/apt.conf" "apt-$tool" "$@"
}

# first_dependency PACKAGE: what a metapackage such as linux-image-cloud-amd64 stands for today.
first_dependency() {
  private_apt cache show --no-all-versions "$1" | sed -nE 's/^Depends: (linux-image-[^ ,]+).*/\1/p' | head -n 1
}
