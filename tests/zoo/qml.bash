# qml.bash: Qt's QML, whose functions and bindings are compiled once they have been called
# often. Alone it goes on without, and says nothing: its list of compiled functions, meant
# for perf, remains empty.

needs=qmlscene

lacking() {
	[ -n "$(find /usr/lib -path '*/qt5/qml/QtQml/qmldir' 2>/dev/null)" ] || echo "QtQml is not installed"
}

export QT_QPA_PLATFORM=offscreen QV4_PROFILE_WRITE_PERF_MAP=1

run_qml() {
	local id status=0

	XDG_RUNTIME_DIR=$PWD qmlscene --quit "$zoo/qml.qml" >said 2>&1 &
	id=$!
	wait "$id" || status=$?
	grep '^qml:' said
	echo "compiled: $([ -s "/tmp/perf-$id.map" ] && echo yes || echo no)"
	rm -f "/tmp/perf-$id.map"
	return "$status"
}

load() {
	run_qml
}

jit_off() {
	QV4_FORCE_INTERPRETER=1 run_qml
}
