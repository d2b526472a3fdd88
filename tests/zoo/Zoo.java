/* Zoo.java: hot methods in several threads at once, while references to nothing,
 * divisions by zero and a stack without end, all of which the VM learns of by
 * signals, are caught. */
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;

class Zoo {
	interface Shape {
		int area(int n);
	}

	static int step(int sum, int i) {
		return (int) ((sum * 31L + i) % 1000003);
	}

	static int strings(int sum) {
		ArrayList<String> words = new ArrayList<>();

		for (int i = 0; i < 60000; i++) {
			sum = step(sum, i);
			if (i % 10 == 0)
				words.add(Integer.toString(sum));
		}
		return step(sum, String.join(",", words).length());
	}

	static int objects(int sum) {
		HashMap<Integer, int[]> map = new HashMap<>();
		Shape[] shapes = { n -> n * n, n -> 3 * n, n -> n / 2 };

		for (int i = 0; i < 20000; i++) {
			map.computeIfAbsent(i % 997, k -> new int[8])[i % 8] += shapes[i % 3].area(i % 100);
			sum = step(sum, map.get(i % 997)[i % 8]);
		}
		return sum;
	}

	static int length(String text) {
		return text.length();
	}

	static int nothing(int sum) {
		int caught = 0;

		for (int i = 0; i < 20000; i++)
			try {
				sum = step(sum, length(i % 100 == 0 ? null : "text"));
			} catch (NullPointerException e) {
				caught++;
			}
		return step(sum, caught);
	}

	static int zero(int sum) {
		int caught = 0;

		for (int i = 0; i < 2000; i++)
			try {
				sum = step(sum, 1000 / (i % 50));
			} catch (ArithmeticException e) {
				caught++;
			}
		return step(sum, caught);
	}

	static int deep(int n) {
		return deep(n + 1) + 1;
	}

	static int endless(int sum) {
		try {
			return deep(0);
		} catch (StackOverflowError e) {
			return step(sum, 1);
		}
	}

	public static void main(String[] arguments) throws Exception {
		int[] sums = new int[4];
		Thread[] threads = new Thread[sums.length];

		for (int t = 0; t < threads.length; t++) {
			int self = t;

			threads[t] = new Thread(() -> {
				int sum = self;

				for (int i = 0; i < 25; i++)
					sum = zero(nothing(objects(strings(sum))));
				sums[self] = endless(sum);
			});
			threads[t].start();
		}
		for (Thread thread : threads)
			thread.join();
		for (int sum : sums)
			System.out.println(sum);
		System.gc();
		System.out.println("compiled: " + (compiled() ? "yes" : "no"));
	}

	/* Without a compiler there is no bean for it, or none of its time was used. */
	static boolean compiled() {
		var bean = ManagementFactory.getCompilationMXBean();

		return bean != null && bean.getTotalCompilationTime() > 0;
	}
}
