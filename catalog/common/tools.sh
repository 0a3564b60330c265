# Says which programs are missing, and which package has each: sourced by the bake.sh files.

# need PROGRAM=PACKAGE… (a program that begins with / is a file that must exist)
need() {
  local pair program missing=()
  for pair in "$@"; do
    program=${pair%%=*}
    case $program in
      /*) [ -e "$program" ] || missing+=("${pair#*=}") ;;
      *) command -v "$program" >/dev/null || missing+=("${pair#*=}") ;;
    esac
  done
  if [ ${#missing[@]} -gt 0 ]; then
    echo "Install what this recipe needs: apt-get install $(printf '%s\n' "${missing[@]}" | sort -u | paste -sd ' ')" >&2
    return 1
  fi
}
