// qml.qml: functions and a binding that are called until they are compiled. See qml.bash.
import QtQml 2.0

QtObject {
	property int n: 0
	property int squared: (n * n) % 1009

	function sum(count) {
		var total = 0;

		for (var i = 0; i < count; i++)
			total = (total * 31 + i % 7) % 16777213;
		return total;
	}

	Component.onCompleted: {
		var total = 0, words = [];

		for (var k = 0; k < 2000; k++) {
			n = k;
			total += squared;
			words.push("w" + sum(300 + k % 50));
		}
		try {
			null.member;
		} catch (e) {
			total += 1;
		}
		console.log(total, words.sort()[1000], sum(1000000));
	}
}
