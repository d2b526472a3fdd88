;; A function compiled at run time, garbage collected, an error caught, for SBCL.
;; The last argument says how many rounds.
(defun next-sum (sum i)
  (declare (type (unsigned-byte 40) sum i))
  (mod (+ (* sum 31) i) 1000003))

(defun one-round (sum)
  (let ((words '()))
    (dotimes (i 300000)
      (setf sum (next-sum sum i))
      (when (zerop (mod i 10))
        (push (princ-to-string sum) words)))
    (next-sum sum (reduce #'+ (mapcar #'length words)))))

(mapc #'compile '(next-sum one-round))

(let ((sum 0))
  (dotimes (i (parse-integer (car (last sb-ext:*posix-argv*))))
    (setf sum (one-round sum)))
  (sb-ext:gc :full t)
  (format t "~a ~a~%" sum (handler-case (car (list 5 (car sum))) (error () 'caught))))
