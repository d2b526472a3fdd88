# javac.bash: javac, several hundred classes: a large program in the Java VM.

needs='java javac'

# 150 classes, each with one inside.
prepare() {
	local i

	mkdir -p source
	for i in {1..150}; do
		cat >"source/Class$i.java" <<-END
			package zoo;
			import java.util.ArrayList;
			public class Class$i implements Comparable<Class$i> {
				enum Kind { RED, GREEN, BLUE }
				private final ArrayList<Integer> list = new ArrayList<>();
				private final Kind kind = Kind.values()[$i % 3];
				public int compareTo(Class$i other) { return kind.compareTo(other.kind); }
				int sum(int n) {
					int sum = $i;
					for (int i = 0; i < n; i++)
						list.add(i * sum);
					for (int value : list)
						sum = sum > 1000 ? sum - value : sum + value;
					return sum;
				}
				String name() { return kind == Kind.RED ? "red" + $i : kind.toString(); }
			}
		END
	done
}

load() {
	rm -rf classes
	javac -d classes source/*.java
	find classes -name '*.class' | LC_ALL=C sort | xargs cat | cksum
	find classes -name '*.class' | wc -l
}

jit_off() {
	rm -rf classes
	javac -J-Xint -d classes source/*.java
}
