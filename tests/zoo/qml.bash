# qml.bash: Qt's QML, whose functions and bindings are compiled once they have been called
# often. Alone it goes on without, and says nothing: its list of compiled functions, meant
# for perf, remains empty.

needs=qmlscene

lacking() {
	[ -n "$(find /usr/lib -path '*/qt5/qml/QtQml/qmldir' 2>/dev/null)" ] || echo "QtQml is not installed"
}

export QT_QPA_PLATFORM=offscreen XDG_RUNTIME_DIR=$PWD

load() {
	QV4_PROFILE_WRITE_PERF_MAP=1 run_and_look qmlscene --quit "$zoo/qml.qml" 2>&1
}

jit_off() {
	QV4_FORCE_INTERPRETER=1 qmlscene --quit "$zoo/qml.qml" 2>&1
}
