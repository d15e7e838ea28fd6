#!/usr/bin/env bash
# Installs the brokers that ferrion is tested against into target/peers, from Debian's own packages.
# Idempotent: what is there already is left alone.
#
#   scripts/install-brokers.sh packages   prints the system packages that are missing for it
#   scripts/install-brokers.sh install    installs
#
# target/peers/rabbitmq4   a root folder with RabbitMQ 4 and its Erlang, which Debian 12 is too old for: tests run it with
#                          chroot in namespaces of its own. Nothing of it is ever mounted for anybody else.
# target/peers/activemq    ActiveMQ Classic's transports for AMQP 1.0 and WebSocket, which Debian's package leaves out for
#                          want of proton-j, compiled from Debian's source package; and the file classpath.
set -euo pipefail
cd "$(dirname "$0")/.."

PEERS="$PWD/target/peers"
RABBITMQ="$PEERS/rabbitmq4"
ACTIVEMQ="$PEERS/activemq"
# The release that has RabbitMQ 4.3 and proton-j 0.34.
SUITE=forky
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
# The source package of Debian 13: its modules fit the 5.17.2 of Debian 12 as well.
ACTIVEMQ_SOURCE=pool/main/a/activemq/activemq_5.17.6+dfsg.orig.tar.xz
ACTIVEMQ_SHA256=dcb252af55dbed49d6d46b7fafe827a15dd6f9f2f98ca82a4a955e9aba749c73
ACTIVEMQ_LAUNCHER="$PWD/tests/interop/ActiveMqPeer.java"

JAVA=/usr/share/java
ACTIVEMQ_JARS=(activemq-{broker,client,jaas,kahadb-store,mqtt,openwire-legacy,protobuf,spring,stomp} hawtbuf slf4j-api slf4j-jdk14
  jcl-over-slf4j geronimo-jms_1.1_spec geronimo-j2ee-management-1.1-spec geronimo-jta-1.2-spec
  jackson-{annotations,core,databind} xbean-spring spring3-{aop,beans,context,core,expression,jms,transaction} commons-lang3
  jaxb-api)
WEBSOCKET_JARS=(jetty9-{server,servlet,servlets,http,io,util,security,xml}
  jetty9-websocket-{api,client,common,server,servlet} servlet-api mqtt-client)

main() {
  case "${1:-}" in
    packages) packages ;;
    install) mkdir -p "$PEERS"; rabbitmq; activemq ;;
    *) die "usage: $0 packages|install" ;;
  esac
}

packages() {
  have mmdebstrap || echo mmdebstrap
  have javac || echo openjdk-17-jdk-headless
  have xz || echo xz-utils
  [ -e "$JAVA/activemq-broker.jar" ] || echo libactivemq-java
  [ -e "$JAVA/jetty9-server.jar" ] || echo libjetty9-java
  [ -e "$JAVA/jetty9-websocket-server.jar" ] || echo libjetty9-extra-java
  [ -e "$JAVA/mqtt-client.jar" ] || echo libmqtt-client-java
}

# ---- RabbitMQ ----------------------------------------------------------------------------------------------------

rabbitmq() {
  [ ! -e "$RABBITMQ/usr/share/java/proton-j.jar" ] || [ ! -x "$RABBITMQ/usr/lib/rabbitmq/bin/rabbitmq-server" ] || return 0
  say "unpacking RabbitMQ 4 and Erlang of Debian $SUITE into ${RABBITMQ#"$PWD"/}"
  local sudo="" new="$RABBITMQ.new"
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  $sudo rm -rf "$new" "$RABBITMQ"
  # Unpacked, not installed: no script of a package runs. The date is not checked since a mirror may be a frozen one.
  $sudo mmdebstrap --quiet --variant=extract --mode=root --keyring="$KEYRING" \
    --include=rabbitmq-server,libapache-qpid-proton-j-java,dash,coreutils,grep,sed \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' \
    --aptopt='Acquire::Languages "none"' --aptopt='Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false"' \
    --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$SUITE" "$new" "$(mirror)"
  [ -z "$sudo" ] || $sudo chown -R --no-dereference "$(id -u):$(id -g)" "$new"
  local folder
  for folder in bin sbin lib lib64; do
    [ -e "$new/$folder" ] || ln -s "usr/$folder" "$new/$folder"
  done
  mkdir -p "$new/proc" "$new/mnt"
  # Erlang asks this file for "localhost".
  printf '127.0.0.1 localhost\n' >"$new/etc/hosts"
  mv "$new" "$RABBITMQ"
}

# ---- ActiveMQ ----------------------------------------------------------------------------------------------------

activemq() {
  local source="$ACTIVEMQ/source" lib="$ACTIVEMQ/lib"
  local proton="$RABBITMQ/usr/share/java/proton-j.jar"
  if [ ! -e "$lib/activemq-web.jar" ]; then
    say "compiling ActiveMQ's transports for AMQP and WebSocket into ${ACTIVEMQ#"$PWD"/}"
    rm -rf "$ACTIVEMQ"
    mkdir -p "$source" "$lib"
    fetch "$ACTIVEMQ_SOURCE" "$ACTIVEMQ_SHA256" "$ACTIVEMQ/source.tar.xz"
    tar -xf "$ACTIVEMQ/source.tar.xz" -C "$source" --strip-components=1 --wildcards \
      '*/activemq-amqp/src/main' '*/activemq-http/src/main' '*/activemq-jms-pool/src/main'
    local amqp="$source/activemq-amqp/src/main" http="$source/activemq-http/src/main"
    local pool="$source/activemq-jms-pool/src/main"
    cp -L "$proton" "$lib/proton-j.jar"
    module "$lib/activemq-amqp.jar" "$amqp/resources" "$amqp/java" "$amqp/java" .
    module "$lib/activemq-web.jar" "$http/resources" "$http/java:$pool/java" "$http/java" \
      ./org/apache/activemq/transport/ws ./org/apache/activemq/transport/wss
    rm -rf "$source" "$ACTIVEMQ/source.tar.xz"
  fi
  if [ ! -e "$lib/ActiveMqPeer.class" ] || [ "$ACTIVEMQ_LAUNCHER" -nt "$lib/ActiveMqPeer.class" ]; then
    compile -d "$lib" "$ACTIVEMQ_LAUNCHER"
  fi
  class_path >"$ACTIVEMQ/classpath"
}

# module JAR RESOURCES SOURCEPATH FOLDER PART...: compiles the PARTs of FOLDER, with what they need of SOURCEPATH, into JAR.
module() {
  local jar="$1" resources="$2" path="$3" folder="$4" classes="$1.classes" sources
  shift 4
  mkdir -p "$classes"
  mapfile -t sources < <(cd "$folder" && find "${@/#./$PWD}" -name '*.java')
  compile -source 11 -target 11 -sourcepath "$path" -d "$classes" "${sources[@]}"
  cp -r "$resources/." "$classes"
  # The jar appears whole or not at all.
  (cd "$classes" && jar -cf "$jar.new" .)
  mv "$jar.new" "$jar"
  rm -rf "$classes"
}

compile() {
  local log="$ACTIVEMQ/javac.log"
  javac -nowarn -cp "$(class_path)" "$@" >"$log" 2>&1 || { cat "$log" >&2; die "javac failed"; }
}

class_path() {
  local jar path="$ACTIVEMQ/lib"
  for jar in "$ACTIVEMQ"/lib/*.jar; do
    [ ! -e "$jar" ] || path+=":$jar"
  done
  for jar in "${ACTIVEMQ_JARS[@]}" "${WEBSOCKET_JARS[@]}"; do
    [ -e "$JAVA/$jar.jar" ] || die "no $JAVA/$jar.jar: is libactivemq-java another version than expected?"
    path+=":$JAVA/$jar.jar"
  done
  printf '%s' "$path"
}

# ---- small helpers -----------------------------------------------------------------------------------------------

# The mirror that this system installs its own packages from.
mirror() {
  local uri
  uri="$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | awk '!/security/ { print $1; exit }')"
  [ -n "$uri" ] || die "apt knows no mirror: is there a source list in /etc/apt?"
  printf '%s' "${uri%/}"
}

# fetch PATH SHA256 FILE: a file of the mirror, by apt's own means.
fetch() {
  /usr/lib/apt/apt-helper -o APT::Sandbox::User=root -qq download-file "$(mirror)/$1" "$3" "SHA256:$2" \
    || die "can not fetch $1"
}

have() { command -v "$1" >/dev/null 2>&1; }
say() { echo "install-brokers: $*"; }
die() { echo "install-brokers: $*" >&2; exit 1; }

main "$@"
